/**
 * The deployer on a real engine: from nothing to running and back to nothing, and everything that can go wrong in
 * between.
 */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { connectEngine } from '../../harness/platform/swarm/engine/engine.js';
import type { DeployOptions, DeployProgress } from '../../harness/platform/swarm/stack/deploy-stack.js';
import type { StackError } from '../../harness/platform/swarm/stack/stack-error.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { tempFolder } from '../support/temp-folder.js';
import { onTestEnd } from '../support/test-end.js';
import { makeBox, OTHER_BOX } from './support/box-image.js';
import { box, type Compose, compose, deploy, everything, runningTasks, stackOf } from './support/small-stack.js';
import { startSocketProxy } from './support/socket-proxy.js';

jest.setTimeout(240_000);

const STACK = 'swarmbench-deployer';
function soon(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
function up(services: Compose, more: Compose = {}, folder?: string) {
  return deploy(stackOf(STACK, compose(services, more), folder));
}
function failure(promise: Promise<unknown>): Promise<StackError> {
  return promise.then(
    () => {
      throw new Error('it came up');
    },
    (error: unknown) => error as StackError,
  );
}
/** So patient that only the engine's own end of an update ends the wait. */
const patience = { pendingMs: 60_000, endedMs: 60_000, failures: 100 };
/** Up for ten seconds before it counts as up: a busy engine may be slow to notice that a program has ended. */
function stuck(services: Compose, options: Partial<DeployOptions> = {}) {
  return failure(deploy(stackOf(STACK, compose(services)), { options: { stableMs: 10_000, ...options } }));
}

await describeOnSwarm('a deployed stack', 'engine', () => {
  beforeAll(async () => {
    await makeBox();
    await removeStack(STACK);
  });
  afterAll(() => removeStack(STACK));

  test('comes from nothing, all services at once, and goes to nothing', async () => {
    const folder = filesIn(tempFolder());
    const seen: DeployProgress[] = [];
    const stack = stackOf(
      STACK,
      compose(
        {
          one: box({ configs: ['words'], secrets: ['key'], volumes: ['data:/data'] }, { replicas: 2 }),
          all: box({}, { mode: 'global' }),
        },
        filed,
      ),
      folder,
    );
    const { services, changes } = await deploy(stack, { onProgress: (progress) => seen.push(progress) });

    expect(services.map(({ name, running, state }) => [name, running > 0, state])).toEqual([
      [`${STACK}_one`, true, 'running'],
      [`${STACK}_all`, true, 'running'],
    ]);
    expect(changes.map(({ kind, did }) => `${did} ${kind}`)).toEqual([
      'created network',
      'created secret',
      'created config',
      'created service',
      'created service',
    ]);
    const first = seen.find(({ kind }) => kind === 'services');
    expect(first).toMatchObject({
      services: [{ name: `${STACK}_one`, running: 0, wanted: 2, state: 'starting' }, { name: `${STACK}_all` }],
    });

    await removeStack(STACK);
    expect(await everything(STACK)).toEqual({
      services: [],
      tasks: [],
      networks: [],
      configs: [],
      secrets: [],
      containers: [],
      volumes: [],
    });
  });

  test('is not touched by the same files again', async () => {
    const folder = filesIn(tempFolder());
    const services = {
      one: box({ configs: ['words'], secrets: ['key'] }, { replicas: 2 }),
      two: box({ ports: [{ target: 80, published: 28_471, mode: 'host' }] }),
    };
    await up(services, filed, folder);
    const before = [await versions(), await runningTasks(STACK)];
    const { changes } = await up(services, filed, folder);
    expect(new Set(changes.map(({ did }) => did))).toEqual(new Set(['unchanged']));
    expect([await versions(), await runningTasks(STACK)]).toEqual(before);
  });

  test('has only that service replaced whose image is another one', async () => {
    await up({ one: box(), two: box() });
    const before = await runningTasks(STACK);
    const { changes } = await up({ one: box({ image: OTHER_BOX }), two: box() });
    const after = await runningTasks(STACK);
    expect(changes).toContainEqual({ kind: 'service', name: `${STACK}_one`, did: 'updated' });
    expect(after.two).toEqual(before.two);
    expect(after.one).not.toEqual(before.one);
  });

  test('takes a new content of a config as a new config, and the old one goes', async () => {
    const folder = filesIn(tempFolder());
    const services = { one: box({ configs: ['words'] }) };
    await up(services, { configs: filed.configs }, folder);
    const [before] = (await everything(STACK)).configs;
    writeFileSync(join(folder, 'words'), 'other words');
    await up(services, { configs: filed.configs }, folder);
    const after = (await everything(STACK)).configs;
    expect(after).toHaveLength(1);
    expect(after[0]?.Spec.Name).not.toBe(before?.Spec.Name);
    expect(Buffer.from(after[0]?.Spec.Data ?? '', 'base64').toString()).toBe('other words');
  });

  test('loses the services that its files no longer name', async () => {
    await up({ one: box(), two: box() });
    const { changes } = await up({ one: box() });
    expect(changes).toContainEqual({ kind: 'service', name: `${STACK}_two`, did: 'removed' });
    expect(Object.keys(await runningTasks(STACK))).toEqual(['one']);
  });

  test('keeps a forced restart and does not roll again', async () => {
    await up({ one: box() });
    const [service] = (await everything(STACK)).services;
    await engine.services.change(
      service?.ID ?? '',
      ({ Spec }) => ({ ...Spec, TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: 7 } }),
      soon(),
    );
    await up({ one: box({}, { labels: { fresh: 'yes' } }) });
    const [after] = (await everything(STACK)).services;
    expect(after?.Spec).toMatchObject({ Labels: { fresh: 'yes' }, TaskTemplate: { ForceUpdate: 7 } });
  });

  test('survives many who change it at the same time', async () => {
    await up({ one: box() });
    const [service] = (await everything(STACK)).services;
    await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((who) =>
        engine.services.change(
          service?.ID ?? '',
          ({ Spec }) => ({ ...Spec, Labels: { ...Spec.Labels, [who]: 'was here' } }),
          soon(),
        ),
      ),
    );
    const [after] = (await everything(STACK)).services;
    expect(after?.Spec.Labels).toMatchObject({
      a: 'was here',
      b: 'was here',
      c: 'was here',
      d: 'was here',
      e: 'was here',
    });
  });

  test('runs jobs to their end and takes what they leave away', async () => {
    const { services } = await up({
      job: box(
        { command: ['true'] },
        { mode: 'replicated-job', replicas: 2, restart_policy: { condition: 'none' }, update_config: undefined },
      ),
    });
    expect(services).toMatchObject([{ running: 2, wanted: 2, state: 'running' }]);
    await removeStack(STACK);
    expect((await everything(STACK)).containers).toEqual([]);
  });
});

await describeOnSwarm('a stack that cannot come up says so early, in the words of its task:', 'engine', () => {
  beforeAll(async () => {
    await makeBox();
    await removeStack(STACK);
  });
  afterAll(() => removeStack(STACK));

  test.each<[string, Compose, RegExp, RegExp]>([
    [
      'an image that is nowhere',
      box({ image: 'swarmbench-test/nowhere:1' }),
      /No such image: swarmbench-test\/nowhere:1/,
      /swarmbench images/,
    ],
    [
      'a constraint that no node fits',
      box({}, { placement: { constraints: ['node.labels.zone == mars'] } }),
      /no suitable node \(scheduling constraints/,
      /node update --label-add/,
    ],
    [
      'a global service without a node',
      box({}, { mode: 'global', placement: { constraints: ['node.labels.zone == mars'] } }),
      /no active node fits/,
      /placement.constraints/,
    ],
    [
      'more than the nodes have',
      box({}, { resources: { reservations: { cpus: '512' } } }),
      /insufficient resources/,
      /reservations/,
    ],
    ['a program that fails', box({ command: ['sh', '-c', 'exit 3'] }), /non-zero exit \(3\) \(2 times\)/, /logs/],
    [
      'a program that fails and is not to be started again',
      box({ command: ['sh', '-c', 'exit 3'] }, { restart_policy: { condition: 'none' } }),
      /non-zero exit \(3\), and it is not started again/,
      /logs/,
    ],
    [
      'a program that just ends',
      box({ command: ['true'] }, { restart_policy: { condition: 'on-failure', delay: '100ms' } }),
      /ended with exit code 0/,
      /logs/,
    ],
    ['a program that is not there', box({ command: ['/no/such'], init: false }), /no such file or directory/, /logs/],
    [
      'a folder that is not there',
      box({ volumes: ['/no/such:/x'] }),
      /bind source path does not exist: \/no\/such/,
      /node that runs the task/,
    ],
    [
      'a health check that fails',
      box({ healthcheck: { test: ['CMD', 'false'], interval: '500ms', retries: 1 } }),
      /unhealthy|exit code 0/,
      /logs/,
    ],
  ])('%s', async (name, service, words, hint) => {
    // A service of its own each: modes cannot change, and updates fail in another way.
    const short = name.replaceAll(' ', '-').slice(0, 40);
    const error = await stuck({ [short]: service });
    expect(error).toMatchObject({
      code: 'SERVICE_STUCK',
      message: expect.stringMatching(words),
      hint: expect.stringMatching(hint),
    });
    expect(error.left).toEqual(expect.arrayContaining([`network ${STACK}_net`, `service ${STACK}_${short}`]));
  });

  test('a host port that another program has', async () => {
    const published = await listenedPort();
    const error = await stuck({ one: box({ ports: [{ target: 80, published, mode: 'host' }] }) });
    expect(error).toMatchObject({
      code: 'SERVICE_STUCK',
      message: expect.stringMatching(/address already in use|ports are not available/),
      hint: expect.stringMatching(/listens on the port/),
    });
    expect(error.left).toContain(`service ${STACK}_one`);
  });

  test('a host port that another service has', async () => {
    const ports = [{ target: 80, published: 28_472, mode: 'host' }];
    await up({ first: box({ ports }) });
    const error = await stuck({ first: box({ ports }, { replicas: 2 }) });
    expect(error).toMatchObject({
      code: 'SERVICE_STUCK',
      message: expect.stringMatching(/1 of 2 replicas not running.*host-mode port already in use/),
      hint: expect.stringMatching(/docker service ls/),
    });
    expect(error.left).toContain(`service ${STACK}_first`);
  });

  test('an update that the engine rolls back', async () => {
    const rolling = { update_config: { failure_action: 'rollback', monitor: '1s' } };
    await up({ one: box({}, rolling) });
    const before = await runningTasks(STACK);
    const error = await stuck(
      { one: box({ image: 'swarmbench-test/nowhere:2' }, { ...rolling, replicas: 1 }) },
      { patience },
    );
    expect(error).toMatchObject({
      code: 'ROLLED_BACK',
      message: expect.stringMatching(/runs as before .*No such image: swarmbench-test\/nowhere:2/),
    });
    expect(Object.keys(await runningTasks(STACK))).toEqual(Object.keys(before));
    // The rollback that was is no news to the next deployment.
    await up({ one: box({}, rolling) });
  });

  test('an update that the engine pauses', async () => {
    await up({ one: box() });
    const error = await stuck({ one: box({ command: ['sh', '-c', 'exit 4'] }) }, { patience });
    expect(error).toMatchObject({ code: 'UPDATE_PAUSED', message: expect.stringMatching(/non-zero exit \(4\)/) });
  });

  test('more time than it was given', async () => {
    const slow = box({ healthcheck: { test: ['CMD', 'false'], interval: '60s' } });
    const error = await failure(deploy(stackOf(STACK, compose({ slow })), { options: { timeoutMs: 1_500 } }));
    expect(error).toMatchObject({
      code: 'NOT_CONVERGED',
      message: expect.stringMatching(/after 1.5 s: .*slow: 1 of 1 replicas not running \(last: /),
    });
  });
});

await describeOnSwarm('a deployment that is cut short', 'engine', () => {
  beforeAll(async () => {
    await makeBox();
    await removeStack(STACK);
  });
  afterAll(() => removeStack(STACK));

  test('names what is left when it is interrupted, and goes on when done again', async () => {
    const interrupted = new AbortController();
    const stack = stackOf(STACK, compose({ one: box(), two: box() }));
    const error = await failure(
      deploy(stack, {
        onProgress: (progress) =>
          progress.kind === 'change' && progress.change.name === `${STACK}_one` && interrupted.abort(),
        signal: interrupted.signal,
      }),
    );
    expect(error).toMatchObject({ code: 'INTERRUPTED', hint: expect.stringContaining(`down --stack ${STACK}`) });
    expect(error.left).toEqual(expect.arrayContaining([`service ${STACK}_one`, `network ${STACK}_net`]));

    const { changes } = await deploy(stack);
    expect(changes).toContainEqual({ kind: 'network', name: `${STACK}_net`, did: 'unchanged' });
    await removeStack(STACK);
  });

  test('names what it has made when the engine is gone', async () => {
    const proxy = await startSocketProxy();
    const error = await failure(
      deploy(stackOf(STACK, compose({ one: box(), two: box() })), {
        on: connectEngine({ DOCKER_HOST: proxy.host }),
        onProgress: (progress) => progress.kind === 'change' && progress.change.name === `${STACK}_one` && proxy.cut(),
      }),
    );
    expect(error).toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining(proxy.host),
      left: [`network ${STACK}_net`, `service ${STACK}_one`],
    });
    await removeStack(STACK);
  });

  test('has left everything alone that is not its own', async () => {
    const name = `${STACK}_net`;
    const id = await engine.networks.create(
      { Name: name, Driver: 'overlay', Internal: false, Attachable: false, Labels: {} },
      soon(),
    );
    onTestEnd(() => engine.networks.remove(id, soon()));
    const error = await stuck({ one: box() });
    expect(error).toMatchObject({ code: 'NAME_NOT_OURS', left: [] });
    await removeStack(STACK);
    expect(await engine.networks.find(name, soon())).toMatchObject({ Id: id });
  });
});

const filed = { configs: { words: { file: './words' } }, secrets: { key: { file: './key' } }, volumes: { data: {} } };

function filesIn(folder: string): string {
  writeFileSync(join(folder, 'words'), 'words');
  writeFileSync(join(folder, 'key'), 'key');
  return folder;
}

async function versions(): Promise<readonly (readonly [string, number])[]> {
  return (await everything(STACK)).services.map(({ Spec, Version }) => [Spec.Name, Version.Index] as const);
}

async function listenedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestEnd(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
