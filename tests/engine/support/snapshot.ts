/** Everything that the engine keeps of a stack, without what differs from one deployment to the next. */
import { STACK_LABEL } from '../../../harness/platform/swarm/compose/stack-names.js';
import { getJson } from '../../support/swarm/swarm.js';

type Json = Readonly<Record<string, unknown>>;

interface Snapshot {
  readonly services: Readonly<Record<string, Json>>;
  readonly networks: Readonly<Record<string, Json>>;
  readonly configs: Readonly<Record<string, Json>>;
  readonly secrets: Readonly<Record<string, Json>>;
}

export async function snapshotOf(stack: string): Promise<Snapshot> {
  const networks = await get('/networks', stack);
  const names = new Map((await get('/networks')).map((network) => [network.Id, network.Name]));
  return {
    services: byName(await get('/services', stack), (service) => normalService(service, names)),
    networks: byName(
      await Promise.all(networks.map(async (network) => (await getJson(`/networks/${String(network.Id)}`)) as Json)),
      normalNetwork,
    ),
    configs: byName(await get('/configs', stack), normalMeta),
    secrets: byName(await get('/secrets', stack), normalMeta),
  };
}

function normalService(service: Json, networks: ReadonlyMap<unknown, unknown>): Json {
  const { Spec: spec, PreviousSpec: previous } = normalMeta(service);
  // The engine's own choice of an ingress port, and addresses, stand beside the spec.
  return replaceDeep({ Spec: spec, PreviousSpec: previous }, (key, value) => {
    if (key === 'Target' && networks.has(value)) return networks.get(value);
    if (key === 'SecretID' || key === 'ConfigID') return 'an id';
    if (key === 'Config' && typeof value === 'string' && value !== '') return 'an id';
    // The CLI mounts one object twice in whatever order its maps have.
    if ((key === 'Secrets' || key === 'Configs') && Array.isArray(value))
      return value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return value;
  });
}

function normalNetwork(network: Json): Json {
  const {
    Id: _id,
    Created: _created,
    Containers: _containers,
    Peers: _peers,
    IPAM: ipam,
    Options: options,
    ...rest
  } = network;
  const { 'com.docker.network.driver.overlay.vxlanid_list': _vxlan, ...given } = (options ?? {}) as Json;
  // A subnet of the default pool (10.0.0.0/8) is the engine's choice; the corpus names others.
  const chosen = replaceDeep({ IPAM: ipam }, (_, value) =>
    typeof value === 'string' && /^10\.[\d.]+(\/\d+)?$/.test(value) ? 'from the pool' : value,
  );
  return { ...rest, Options: given, ...chosen };
}

function normalMeta({ ID: _id, Version: _version, CreatedAt: _created, UpdatedAt: _updated, ...rest }: Json): Json {
  return rest;
}

function replaceDeep(value: Json, replace: (key: string, value: unknown) => unknown): Json {
  return JSON.parse(JSON.stringify(value, (key, inner: unknown) => replace(key, inner))) as Json;
}

function byName(objects: readonly Json[], normal: (object: Json) => Json): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    objects.map((object) => [String(object.Name ?? (object.Spec as Json).Name), normal(object)]),
  );
}

async function get(path: string, stack?: string): Promise<readonly Json[]> {
  const filters =
    stack === undefined ? '' : `?filters=${encodeURIComponent(JSON.stringify({ label: [`${STACK_LABEL}=${stack}`] }))}`;
  return (await getJson(path + filters)) as readonly Json[];
}
