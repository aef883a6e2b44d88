/** up, status, scale, logs, down as users and scripts see them. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { main } from '../../harness/cli/cli.js';
import { type TestHost, testHost } from '../support/cli/test-host.js';
import { inOrder } from '../support/in-order.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm } from '../support/swarm/swarm.js';
import { tempFolder } from '../support/temp-folder.js';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';
import { makeBox } from './support/box-image.js';
import { startFakeEngine } from './support/fake-engine.js';
import { box, type Compose, compose, composeFile, everything } from './support/small-stack.js';

jest.setTimeout(240_000);

const STACK = 'swarmbench-commands';

describe('without an engine', () => {
  test.each([['up'], ['status'], ['down'], ['scale', 'one=1'], ['logs', 'one'], ['images']])(
    '%s says so and exits 3',
    async (command, ...args) => {
      const file = command === 'up' ? ['-c', fileOf(compose({ one: box() }))] : [];
      const { code, err } = await run([command, ...args, ...file], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
      expect(code).toBe(3);
      expect(err).toMatch(/no Docker engine answers at unix:\/\/\/nowhere\/docker.sock/);
      expect(err).toMatch(/hint: start Docker[^]*code: ENGINE_UNREACHABLE/);
    },
  );

  test.each([
    ['in no swarm', { LocalNodeState: 'inactive', ControlAvailable: false }, /is in no swarm[^]*docker swarm init/],
    ['a worker', { LocalNodeState: 'active', ControlAvailable: false }, /is a worker of its swarm[^]*DOCKER_HOST/],
    ['locked', { LocalNodeState: 'locked', ControlAvailable: false }, /is locked[^]*docker swarm unlock/],
  ])('an engine that is %s is no place to deploy to', async (_, swarm, words) => {
    const DOCKER_HOST = await startFakeEngine(swarm);
    const { code, err } = await run(['up', '-c', fileOf(compose({ one: box() }))], { DOCKER_HOST });
    expect(code).toBe(3);
    expect(err).toMatch(words);
    expect(await run(['status'], { DOCKER_HOST })).toMatchObject({
      code: 3,
      err: expect.stringMatching(/not a swarm manager[^]*code: NOT_A_MANAGER/),
    });
  });

  test('a file that docker stack deploy refuses is refused with every problem at its place', async () => {
    const { code, err } = await run(['up', '-c', fileOf(compose({ one: { ...box(), replicas: 2, ports: 'all' } }))]);
    expect(code).toBe(2);
    expect(err).toMatch(
      /stack.yml:\d+:\d+: services.one.*replicas[^]*stack.yml:\d+:\d+: services.one.ports[^]*code: STACK_REFUSED/,
    );
  });
});

await describeOnSwarm('a stack from the command line', 'engine', () => {
  beforeAll(async () => {
    await makeBox();
    await removeStack(STACK);
  });
  afterAll(() => removeStack(STACK));

  test('comes up, shows its status, is scaled, shows its logs, and is removed', async () => {
    const talker = box({ command: ['sh', '-c', 'echo hello; echo trouble >&2; exec sleep 1000'] }, { replicas: 2 });
    const file = fileOf(compose({ talker, quiet: box({}, { mode: 'global' }), rest: box({}, { replicas: 0 }) }));
    const up = ['up', '-c', file];

    const first = await run(up);
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^swarmbench-commands is up: 3 services, \d+ tasks, in .* \(4 created\)$/m),
    });
    expect(first.err).toMatch(/^talker 0\/2 starting.*$[^]*^talker 2\/2 running$/m);
    expect(first.err).toMatch(/^rest 0\/0 idle$/m);

    expect(await run([...up, '--json']).then(({ out }) => JSON.parse(out) as unknown)).toMatchObject({
      stack: STACK,
      changes: [{ did: 'unchanged' }, { did: 'unchanged' }, { did: 'unchanged' }, { did: 'unchanged' }],
      services: [{ state: 'running' }, {}, {}],
    });

    expect(await run(['status'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ {2}talker .* 2\/2 {2}running$/m),
    });
    expect(JSON.parse((await run(['status', '--json'])).out)).toMatchObject({
      stack: STACK,
      services: [{ name: `${STACK}_quiet` }, {}, { tasks: [{ slot: 1, state: 'running' }, { slot: 2 }] }],
      networks: [`${STACK}_net`],
    });

    expect(await run(['scale', 'talker=3', 'rest=1'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^talker 3\/3 running$[^]*^rest 1\/1 running$/m),
    });
    expect(await run(['scale', 'quiet=2'])).toMatchObject({ code: 2, err: expect.stringMatching(/NOT_SCALABLE/) });
    expect(await run(['scale', 'talkr=2'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no service talkr[^]*it has quiet, rest, talker[^]*UNKNOWN_SERVICE/),
    });
    expect(await run(['scale', 'talker=many'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/not SERVICE=REPLICAS/),
    });

    const { out } = await run(['logs', 'talker']);
    expect(out.match(/^talker\.[123]@\S+ \| hello$/gm)).toHaveLength(3);
    expect(out.match(/trouble/g)).toHaveLength(3);
    const line = (await run(['logs', 'talker', '--json', '--tail', '1'])).out.split('\n')[0] ?? '';
    expect(JSON.parse(line)).toMatchObject({
      service: 'talker',
      slot: expect.any(Number),
      stream: expect.stringMatching(/^std/),
      at: expect.stringMatching(/Z$/),
    });

    expect(await run(['down'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/removed swarmbench-commands: 4 objects in/),
    });
    expect(await everything(STACK)).toMatchObject({ services: [], tasks: [], networks: [], containers: [] });
    expect(await run(['down'])).toMatchObject({ code: 0, out: 'there is no stack swarmbench-commands\n' });
    expect(await run(['status'])).toMatchObject({ code: 2, err: expect.stringMatching(/UNKNOWN_STACK/) });
  });

  test('shows a row for every service at once on a terminal', async () => {
    const { code, err } = await run(['up', '-c', fileOf(compose({ one: box(), two: box() })), '--no-color'], {}, true);
    expect(code).toBe(0);
    const oneIsUp = /1 of 2 services as wanted[^]*?one +█* *░* +\d\/1 [^]*?two +█* *░* +\d\/1/;
    const noneIsUp = /0 of 2 services as wanted[^]*?one +░+ +0\/1[^]*?two +░+ +0\/1/;
    expect(err).toMatch(new RegExp(`${oneIsUp.source}|${noneIsUp.source}`));
    expect(err).toMatch(/2 of 2 services as wanted/);
  });

  test('follows logs until it is interrupted', async () => {
    await run([
      'up',
      '-c',
      fileOf(compose({ clock: box({ command: ['sh', '-c', 'while true; do echo tick; sleep 0.2; done'] }) })),
    ]);
    const host = hostOf(['logs', '-f', '--tail', '1', 'clock']);
    const ended = main(host);
    await until('ticks', () => (host.out().match(/clock\.1@.* tick/g)?.length ?? 0) >= 3);
    host.interrupt();
    expect(await ended).toBe(0);
  });

  test('is refused before anything is made when a port is taken or an image is nowhere', async () => {
    await removeStack(STACK);
    const port = await listenedPort();
    const services = {
      one: box({ ports: [{ target: 80, published: port, mode: 'host' }] }),
      two: box({ image: 'localhost:1/nowhere:1' }),
    };
    const { code, err } = await run(['up', '-c', fileOf(compose(services))]);
    expect(code).toBe(3);
    expect(err).toMatch(/localhost:1\/nowhere:1 is not on this node, and cannot be pulled .*swarmbench images/);
    // Where the engine is in a machine of its own (Docker Desktop), its ports are not looked at from here.
    if ((process.env.DOCKER_HOST ?? '') === '')
      expect(err).toMatch(new RegExp(`publishes port ${port}/tcp, which another program on this machine uses already`));
    expect(await everything(STACK)).toMatchObject({ services: [], networks: [] });
  });

  test('names what is left when a service will not come up', async () => {
    const file = fileOf(compose({ one: box({ command: ['sh', '-c', 'exit 3'] }) }));
    const { code, err, out } = await run(['up', '-c', file, '--json']);
    expect(code).toBe(4);
    expect(err).toMatch(
      inOrder(
        'non-zero exit (3)',
        'left in the swarm: service swarmbench-commands_one, network',
        'swarmbench down --stack swarmbench-commands',
        'code: SERVICE_STUCK',
      ),
    );
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'SERVICE_STUCK', left: [`service ${STACK}_one`, `network ${STACK}_net`] },
    });
    expect(await run(['status'])).toMatchObject({ code: 4 });
  });

  test('names what is left when it is interrupted', async () => {
    const host = hostOf([
      'up',
      '-c',
      fileOf(compose({ never: box({}, { placement: { constraints: ['node.labels.zone == mars'] } }) })),
    ]);
    const ended = main(host);
    await until('services to wait for', () => /^never 0\/1/m.test(host.err()));
    host.interrupt();
    expect(await ended).toBe(130);
    expect(host.err()).toMatch(
      inOrder(
        'interrupted while deploying',
        'left in the swarm: service swarmbench-commands_never',
        'down --stack swarmbench-commands',
      ),
    );
  });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, isTTY = false): Promise<Ran> {
  const host = hostOf(args, env, isTTY);
  return { code: await main(host), out: host.out(), err: host.err() };
}

function hostOf(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  isTTY = false,
): TestHost {
  const own = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(DOCKER_|HOME$)/.test(name) ? [[name, value]] : [],
    ),
  );
  const stack = command === 'images' ? [] : ['--stack', STACK];
  return testHost([command, ...stack, ...args], { env: { ...own, ...env }, cwd: tempFolder(), isTTY });
}

function fileOf(content: Compose): string {
  return composeFile(tempFolder(), content);
}

async function listenedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestEnd(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
