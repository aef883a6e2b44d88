/**
 * Our conversion equals the CLI's. Every file of the corpus and our own stack are deployed once with
 * `docker stack deploy` and once from our own conversion. Both must send the engine the same bodies, and it must store
 * the same. After a deployment by the CLI, ours must find nothing to change.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { composeToSwarm, type StackSpec } from '../../harness/platform/swarm/compose/compose-to-swarm.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { packageRoot } from '../support/package-root.js';
import { type ComposeCase, casesIn, inputOf } from '../support/swarm/cases.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { createStack, removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engineSocket } from '../support/swarm/swarm.js';
import { bodiesOf, recordedBodies } from './support/bodies.js';
import { idleStackCases } from './support/idle-stack.js';
import { makeOutside, removeOutside } from './support/outside.js';
import { type RecordingProxy, startRecordingProxy } from './support/recording-proxy.js';
import { snapshotOf } from './support/snapshot.js';

const STACK = 'swarmbench-parity';
/** The CLI lists one object that is mounted twice in another order each time, and so updates the service each time. */
const ARBITRARY_ORDER = 'same-object-twice.yml';
const folder = mkdtempSync(join(tmpdir(), 'swarmbench-parity-'));
const cases = [...casesIn(join(packageRoot, 'tests/engine/corpus')), ...idleStackCases(STACK, folder)];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

await describeOnSwarm('docker stack deploy and our conversion are the same', 'cli', () => {
  let proxy: RecordingProxy;

  beforeAll(async () => {
    proxy = await startRecordingProxy(engineSocket());
    await removeStack(STACK);
    await removeOutside();
    await makeOutside();
  });

  afterEach(async () => {
    await removeStack(STACK);
    proxy.take();
  });

  afterAll(async () => {
    await removeOutside();
    await proxy.close();
  });

  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, compose) => {
    const stack = converted(compose);
    const theirs = await deployWithCli(compose);
    const recorded = recordedBodies(proxy.take());
    const kept = await snapshotOf(STACK);
    if (theirs === 'deployed' && compose.name !== ARBITRARY_ORDER)
      expect((await createStack(stack)).filter(({ did }) => did !== 'unchanged')).toEqual([]);
    await removeStack(STACK);
    const ours = await createStack(stack).then(
      () => 'deployed',
      () => 'refused by the engine',
    );

    expect(ours).toBe(theirs);
    // An engine refuses what it is too old for; what it was sent until then can be compared all the same.
    if (theirs === 'deployed') expect(bodiesOf(stack)).toEqual(recorded);
    else expect(bodiesOf(stack)).toMatchObject(recorded);
    expect(await snapshotOf(STACK)).toEqual(kept);
  });

  async function deployWithCli({ name, paths, environment }: ComposeCase): Promise<string> {
    const files = paths.flatMap((path) => ['--compose-file', path]);
    const { code, stderr } = await cli(['stack', 'deploy', '--detach', '--resolve-image', 'never', ...files, STACK], {
      ...environment,
      DOCKER_HOST: proxy.host,
    });
    if (code !== 0 && !(name.startsWith('newer-engine-') && stderr.includes('Error response from daemon')))
      throw new Error(stderr);
    return code === 0 ? 'deployed' : 'refused by the engine';
  }
});

function converted(compose: ComposeCase): StackSpec {
  const outcome = composeToSwarm(inputOf(compose, STACK));
  if (outcome.kind === 'refused') throw new Error(formatProblems(outcome.problems, { withPath: true }));
  return outcome.stack;
}
