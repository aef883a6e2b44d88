/**
 * Three real engines as one Swarm: the whole path with workers and replicas on different nodes, and what goes wrong
 * only where there are several.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeImagesFile } from '../../harness/cli/stack/state-folder.js';
import { loadImages, loadInto, pushImages } from '../../harness/platform/swarm/images/distribute.js';
import { OWN_IMAGES } from '../../harness/platform/swarm/images/own-images.js';
import { findStack, namesOf } from '../../harness/platform/swarm/stack/stack-objects.js';
import { type Report, reportSchema } from '../../harness/report/schema.js';
import { inOrder } from '../support/in-order.js';
import { type Program, startProgram } from '../support/program.js';
import { readEvents } from '../support/run-files.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { dockerOfTests, offlineImages } from '../support/swarm/own-stack.js';
import { makeStandIns, WITHOUT_GRAFANA } from '../support/swarm/stand-ins.js';
import { simpleScenario, writeScenario } from '../support/swarmbench.js';
import { until } from '../support/until.js';
import {
  describeOnNodes,
  killEngine,
  leftOfNodes,
  nodesDown,
  nodesTool,
  nodesUp,
  swarmbenchOn,
  type TestNode,
} from './support/nodes.js';

const USER = 'ada';
const PASSWORD = 'of the tests';
/** As `htpasswd -B` makes it of the two. */
const HTPASSWD = 'ada:$2y$05$swarmbenchswarmbenche.g97ti548ckv/xmmpAvBoQY900Xn/tIO';
function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

await describeOnNodes('a swarm of three nodes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-nodes-'));
  const home = (name: string): string => join(folder, name);
  let nodes: readonly TestNode[] = [];
  let images: Readonly<Record<string, string>> = {};
  let registryImage = '';
  const node = (number: 1 | 2 | 3): TestNode => nodes[number - 1] as TestNode;
  const registry = (): string => `${node(1).address}:5000`;

  beforeAll(async () => {
    await nodesDown();
    mkdirSync(home('logged-in'));
    mkdirSync(home('stranger'));
    images = (await offlineImages()).environment;
    const registryOnly = await makeStandIns(dockerOfTests(), AbortSignal.timeout(100_000), ['registry']);
    registryImage = registryOnly.environment.REGISTRY_IMAGE ?? '';
    nodes = await nodesUp(3);
    writeFileSync(
      join(home('logged-in'), 'config.json'),
      JSON.stringify({ auths: { [registry()]: { auth: Buffer.from(`${USER}:${PASSWORD}`).toString('base64') } } }),
    );
  }, 480_000);

  afterAll(async () => {
    await nodesDown();
    rmSync(folder, { recursive: true, force: true });
  }, 150_000);

  /** On that node, with a registry that it is not logged in to. */
  function on(number: 1 | 2 | 3, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return swarmbenchOn(node(number), args, { DOCKER_CONFIG: home('stranger'), ...env }, folder);
  }

  async function ended(
    program: Program,
  ): Promise<{ readonly code: number | NodeJS.Signals; readonly out: string; readonly err: string }> {
    const code = await program.ended;
    return { code, out: program.stdout(), err: program.stderr() };
  }

  test('`images --load` brings every image to every node, once', async () => {
    const standIns = await makeStandIns(dockerOfTests(), AbortSignal.timeout(100_000));
    await loadImages(
      dockerOfTests(),
      nodes.map(({ name, engine }) => ({ name, docker: engine.docker })),
      Object.values(standIns.environment),
      () => undefined,
      AbortSignal.timeout(200_000),
    );
    writeImagesFile(folder, { ...standIns.environment, ...WITHOUT_GRAFANA });
    const load = nodes.flatMap(({ dockerHost }) => ['--load', dockerHost]);
    const first = await ended(startProgram('harness/cli/main.js', ['images', ...load], {}, folder));
    expect(first).toMatchObject({ code: 0 });
    // The command line runs beside a swarm, not in it.
    const elsewhere = new Set<string>(OWN_IMAGES.filter(({ inStack }) => !inStack).map(({ variable }) => variable));
    const wanted = Object.entries(images)
      .filter(([variable]) => variable.endsWith('_IMAGE') && !elsewhere.has(variable))
      .map(([, name]) => name);
    expect(wanted.length).toBeGreaterThan(8);
    for (const name of wanted) {
      const here = await dockerOfTests().getImage(name).inspect();
      const there = await Promise.all(nodes.map(({ engine }) => engine.images.find(name, soon())));
      expect(there.map((image) => image?.Id)).toEqual(nodes.map(() => here.Id));
    }
    const again = await ended(startProgram('harness/cli/main.js', ['images', ...load], {}, folder));
    expect(again.code).toBe(0);
    expect(again.err.match(/has all images already/g)).toHaveLength(3);
  }, 240_000);

  test.each([['up'], ['status'], ['down'], ['scale', 'mcp-server=3'], ['run', 'baseline', '--on', 'swarm']])(
    'a worker node is no place for `%s`',
    async (...args) => {
      expect(await ended(on(2, args))).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/worker|not a swarm manager[^]*hint: .*DOCKER_HOST[^]*code: NOT_A_MANAGER/),
      });
    },
    240_000,
  );

  test('`up` on the manager brings the stack up on all of them', async () => {
    const { code, err } = await ended(on(1, ['up'], { HEALTH_INTERVAL: '2s' }));
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(err.match(/^warning: no registry has .* and \d other images of this stack: .*--load/gm)).toHaveLength(1);
    const { services } = JSON.parse((await ended(on(1, ['status', '--json']))).out) as {
      readonly services: readonly { readonly name: string; readonly tasks: readonly { readonly node: string }[] }[];
    };
    const nodesOf = (name: string): readonly string[] =>
      (services.find((service) => service.name === `bench_${name}`)?.tasks ?? []).map((task) => task.node).toSorted();
    expect(nodesOf('agent')).toEqual(nodes.map(({ name }) => name));
    expect(nodesOf('node-exporter')).toEqual(nodes.map(({ name }) => name));
    expect(new Set(nodesOf('mcp-server')).size).toBe(2);
  }, 300_000);

  test('`run baseline --on swarm` has a worker and a replica on each, and a report that names them', async () => {
    const args = [
      'run',
      'baseline',
      '--on',
      'swarm',
      '--time-scale',
      '0.05',
      '--workers',
      '3',
      '--set',
      'target.replicas=3',
    ];
    const { code, out, err } = await ended(on(1, args));
    const report = reportAt(join(folder, 'results', 'latest', 'report.json'), `${code}\n${out}\n${err}`);
    const names = nodes.map(({ name }) => name);
    expect(report.workers.map(({ place }) => place?.node).toSorted()).toEqual(names);
    expect(report.replicas.map((replica) => replica.node).toSorted()).toEqual(names);
    expect(report.replicas.map(({ cpu }) => cpu?.worst)).toEqual(names.map(() => expect.any(Number)));
    expect(report.environment).toMatchObject({
      platform: 'swarm',
      nodes: expect.arrayContaining(names.map((name) => expect.objectContaining({ name, state: 'ready' }))),
    });

    // 100/s for 6 s, with whatever of it a busy machine had to drop.
    const { offered, sent, dropped, succeeded, failed, lost } = report.summary;
    expect({ offered, failed, lost }).toEqual({ offered: 600, failed: 0, lost: 0 });
    expect(offered).toBe(sent + dropped);
    expect(sent).toBe(succeeded + failed + lost);
    expect(
      report.balance.filter(
        ({ offeredGap, sentGap, errorsGap, workerLost }) =>
          offeredGap !== 0 || sentGap !== 0 || errorsGap !== 0 || workerLost,
      ),
    ).toEqual([]);
    expect(report.balance.length).toBeGreaterThan(0);
    expect(['passed', 'failed', 'invalid']).toContain(report.verdict.kind);
  }, 240_000);

  test('a node is cut off and loses its engine under load, and each time it is back afterwards', async () => {
    // Too short for Swarm to give the node up, so that the second finds replicas there.
    const faults = [
      { name: 'cut', at: '3s', kind: 'node-cut', serving: true, for: '9s' },
      { name: 'down', at: '22s', kind: 'node-down', serving: true, for: '6s' },
    ];
    const target = { server: 'reference', replicas: 4, era: 'legacy' };
    const profile = { clients: 12, arrivals: { rate: '5/s' }, timeout: '3s' };
    const scenario = writeScenario(simpleScenario(profile, 38, { target, faults }), folder);
    const { out, err } = await ended(on(1, ['run', scenario, '--on', 'swarm', '--workers', '1']));
    const report = reportAt(join(folder, 'results', 'latest', 'report.json'), `${out}\n${err}`);
    const events = readEvents(join(folder, 'results', 'latest'));
    const settled = (phase: string): readonly string[] =>
      events.flatMap((event) => (event.type === 'fault.settled' && event.phase === phase ? [event.faultId] : []));
    // How long a node takes to be found well again is its own affair: the later fault may be first.
    expect({ injected: settled('injected'), undone: settled('undone').toSorted(), err }).toEqual({
      injected: ['f1', 'f2'],
      undone: ['f1', 'f2'],
      err: expect.any(String),
    });
    const told = (report.incidents ?? []).map(({ what, fault }) => `${what} ${fault}`);
    expect(told).toContain('server-out f1');
    expect(await leftOfFaults()).toEqual([]);
  }, 300_000);

  async function leftOfFaults(): Promise<readonly string[]> {
    const left = nodes.map(({ engine }) => engine.containers.labelled('swarmbench.fault', soon()));
    return (await Promise.all(left)).flat().flatMap(({ Names, State }) => (State === 'running' ? Names : []));
  }

  test('`down` leaves nothing on any of them', async () => {
    expect(await ended(on(1, ['down', '--volumes']))).toMatchObject({ code: 0 });
    expect(namesOf(await findStack({ engine: node(1).engine, name: 'bench' }, soon()))).toEqual([]);
    // A manager knows of tasks; each node then removes the container of its own.
    const containers = async (): Promise<readonly string[]> => {
      const all = await Promise.all(
        nodes.map(({ engine }) => engine.containers.labelled('com.docker.stack.namespace=bench', soon())),
      );
      return all.flat().flatMap(({ Names }) => Names);
    };
    await until('no container on any node', async () => (await containers()).length === 0, 60_000);
  }, 180_000);

  describe('with a registry that wants a password', () => {
    const remote = (): string => `${registry()}/bench/${images.AGENT_IMAGE ?? ''}`;
    const everywhere = (): string =>
      fileOf('everywhere', {
        everywhere: {
          ...sleeper(remote()),
          deploy: { mode: 'global', endpoint_mode: 'dnsrr', restart_policy: { delay: '200ms' } },
        },
      });

    beforeAll(async () => {
      await loadInto(
        dockerOfTests(),
        { name: node(1).name, docker: node(1).engine.docker },
        [registryImage],
        AbortSignal.timeout(60_000),
      );
      const auth = [
        'REGISTRY_AUTH=htpasswd',
        'REGISTRY_AUTH_HTPASSWD_REALM=tests',
        'REGISTRY_AUTH_HTPASSWD_PATH=/etc/htpasswd',
      ].flatMap((line) => ['--env', line]);
      const file = join(folder, 'htpasswd');
      writeFileSync(file, `${HTPASSWD}\n`);
      const docker = (...args: readonly string[]) => cli(args, { DOCKER_HOST: node(1).dockerHost });
      await docker('create', '--name', 'registry', '--publish', '5000:5000', ...auth, registryImage);
      await docker('cp', file, 'registry:/etc/htpasswd');
      expect(await docker('start', 'registry')).toMatchObject({ code: 0 });
    }, 180_000);

    test('`images --push` needs the login', async () => {
      expect(await ended(on(1, ['images', '--push', `${registry()}/bench`]))).toMatchObject({
        code: 3,
        err: expect.stringMatching(/10\.99\.0\.11:5000\/bench\/.*no basic auth[^]*hint: .*docker login/),
      });
    }, 150_000);

    test('and pushes with it, and gives the stack the names', async () => {
      const { docker } = node(1).engine;
      const registryAndPath = `${registry()}/bench`;
      const env = { DOCKER_CONFIG: home('logged-in') };
      const soonEnough = AbortSignal.timeout(200_000);
      // Our own images come on top of one of them; the large others need not travel again.
      const { environment } = await makeStandIns(docker, soonEnough, ['node', 'nettools']);
      writeImagesFile(
        folder,
        await pushImages(
          { docker, environment, registry: registryAndPath, env, onProgress: () => undefined },
          soonEnough,
        ),
      );
      expect(await ended(on(1, ['images', '--push', registryAndPath], env))).toMatchObject({ code: 0 });
      const names = readFileSync(join(folder, '.swarmbench', 'images.env'), 'utf8');
      expect(names).toContain(`AGENT_IMAGE=${remote()}\n`);
      expect(names.match(/_IMAGE=10\.99\.0\.11:5000\/bench\//g)).toHaveLength(
        Object.keys(environment).length + OWN_IMAGES.length,
      );
    }, 240_000);

    test('the other nodes cannot pull without --with-registry-auth, and the error says so', async () => {
      expect(
        await ended(on(1, ['up', '-c', everywhere(), '--stack', 'everywhere'], { DOCKER_CONFIG: home('logged-in') })),
      ).toMatchObject({
        code: 4,
        err: expect.stringMatching(
          inOrder(
            'No such image: 10.99.0.11:5000',
            'left in the swarm: service everywhere_everywhere',
            'hint: ',
            '--with-registry-auth',
            'code: SERVICE_STUCK',
          ),
        ),
      });
    }, 150_000);

    test('and with it they all run what the registry has, by its digest', async () => {
      expect(
        await ended(
          on(1, ['up', '--with-registry-auth', '-c', everywhere(), '--stack', 'everywhere'], {
            DOCKER_CONFIG: home('logged-in'),
          }),
        ),
      ).toMatchObject({ code: 0 });
      const found = await Promise.all(nodes.map(({ engine }) => engine.images.find(remote(), soon())));
      expect(
        new Set(found.map((image) => image?.RepoDigests.find((digest) => digest.startsWith(registry())))).size,
      ).toBe(1);
      expect(await ended(on(1, ['down', '--stack', 'everywhere']))).toMatchObject({ code: 0 });
    }, 180_000);
  });

  test('`up` names an engine that dies, and what is left; when it is back, `down` removes that', async () => {
    const never = {
      ...sleeper(images.AGENT_IMAGE ?? ''),
      healthcheck: { test: ['CMD', 'false'], interval: '60s' },
      deploy: { replicas: 3, endpoint_mode: 'dnsrr' },
    };
    const program = on(1, ['up', '-c', fileOf('dying', { one: never, two: never }), '--stack', 'dying']);
    await program.wrote(/created service dying_two/, 60_000);
    killEngine(node(1));
    expect(await ended(program)).toMatchObject({
      code: 3,
      err: expect.stringMatching(
        inOrder(
          'no Docker engine answers at unix:',
          'left in the swarm: network dying_net, service dying_one, service dying_two',
          'down --stack dying',
          'code: ENGINE_UNREACHABLE',
        ),
      ),
    });
    nodes = await nodesUp(3);
    expect(await ended(on(1, ['down', '--stack', 'dying']))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/removed dying/),
    });
    expect(namesOf(await findStack({ engine: node(1).engine, name: 'dying' }, soon()))).toEqual([]);
  }, 240_000);

  test('a node that has left the swarm is no place either, and comes back', async () => {
    expect(await cli(['swarm', 'leave'], { DOCKER_HOST: node(3).dockerHost })).toMatchObject({ code: 0 });
    expect(await ended(on(3, ['up']))).toMatchObject({
      code: 3,
      err: expect.stringMatching(/is in no swarm[^]*hint: docker swarm init[^]*code: NOT_A_MANAGER/),
    });
    nodes = await nodesUp(3);
  }, 150_000);

  test('nodes-down leaves nothing here, even in the middle of everything and with a dead engine', async () => {
    const program = on(1, [
      'up',
      '-c',
      fileOf('left', {
        everywhere: { ...sleeper(images.AGENT_IMAGE ?? ''), deploy: { mode: 'global', endpoint_mode: 'dnsrr' } },
      }),
      '--stack',
      'left',
    ]);
    expect(await ended(program)).toMatchObject({ code: 0 });
    await until(
      'containers on all nodes',
      async () =>
        (await Promise.all(nodes.map(({ engine }) => engine.containers.running(soon())))).every(
          (running) => running.length > 0,
        ),
      60_000,
    );
    killEngine(node(3));
    expect((await leftOfNodes()).length).toBeGreaterThan(6);
    await nodesDown();
    expect(await leftOfNodes()).toEqual([]);
  }, 240_000);

  test('nodes that cannot be brought up leave nothing either, and the engine says why', async () => {
    expect(await nodesTool('nodes-up.sh', ['2'], { NODES_OPTIONS: '--no-such-option' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/unknown flag: --no-such-option[^]*engine of node \d exited/),
    });
    expect(await leftOfNodes()).toEqual([]);
  }, 150_000);

  function sleeper(image: string): Readonly<Record<string, unknown>> {
    return { image, init: true, entrypoint: ['sleep', '100000'], networks: ['net'], stop_grace_period: '1s' };
  }

  function fileOf(name: string, services: Readonly<Record<string, unknown>>): string {
    const path = join(folder, `${name}.yml`);
    writeFileSync(path, JSON.stringify({ version: '3.13', services, networks: { net: { driver: 'overlay' } } }));
    return path;
  }
});

function reportAt(path: string, otherwise: string): Report {
  try {
    return reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(`there is no report:\n${otherwise}`, { cause });
  }
}
