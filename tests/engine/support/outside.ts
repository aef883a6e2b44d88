/** What the corpus calls `external`: a network, a config and a secret of the same name that belong to no stack. */
import { engine } from '../../support/swarm/swarm.js';

const NAME = 'swarmbench-parity-outside';

export async function makeOutside(): Promise<void> {
  const spec = { Name: NAME, Labels: {}, Data: Buffer.from('outside').toString('base64') };
  await engine.networks.create(
    { Name: NAME, Driver: 'overlay', Internal: false, Attachable: true, Labels: {} },
    within(),
  );
  await engine.configs.create(spec, within());
  await engine.secrets.create(spec, within());
}

/** Also what an interrupted run has left. */
export async function removeOutside(): Promise<void> {
  const network = await engine.networks.find(NAME, within());
  if (network !== undefined) await engine.networks.remove(network.Id, within());
  for (const objects of [engine.configs, engine.secrets]) {
    for (const { ID, Spec } of await objects.all(within())) if (Spec.Name === NAME) await objects.remove(ID, within());
  }
}

function within(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
