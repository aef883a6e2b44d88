/**
 * The images on a real engine: made from what this machine has, small, running, and what the stack's configurations say
 * to the programs in them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { buildImages, type MadeImages } from '../../harness/platform/swarm/images/build-images.js';
import { pushImages } from '../../harness/platform/swarm/images/distribute.js';
import { OWN_IMAGES } from '../../harness/platform/swarm/images/own-images.js';
import { STICKINESS } from '../../swarm/gateway/render-gateway.js';
import { packageRoot } from '../support/package-root.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { inContainer } from '../support/swarm/in-container.js';
import { dockerOfTests, getJsonFrom, offlineImages } from '../support/swarm/own-stack.js';
import { makeStandIns, STAND_INS } from '../support/swarm/stand-ins.js';
import { describeOnSwarm } from '../support/swarm/swarm.js';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';

const MIB = 2 ** 20;

test('every image of the stack file is one of ours or has a stand-in, except Grafana', () => {
  const stackText = readFileSync(join(packageRoot, 'swarm', 'stack.yml'), 'utf8');
  const variables = [...stackText.matchAll(/image: \$\{(\w+):-[^}]+\}/g)].map(([, variable = '']) => variable);
  const known = [...OWN_IMAGES, ...STAND_INS].map(({ variable }) => String(variable));
  expect([...new Set(variables)].filter((variable) => !known.includes(variable))).toEqual(['GRAFANA_IMAGE']);
});

await describeOnSwarm('images without a registry', 'cli', () => {
  let made: MadeImages;
  const image = (variable: string): string => made.environment[variable] ?? `nothing for ${variable}`;

  beforeAll(async () => {
    made = await offlineImages();
  }, 300_000);

  test('making them again makes nothing', async () => {
    const told: string[] = [];
    const again = await offlineImages(({ kind }) => told.push(kind));
    expect(again.environment).toEqual(made.environment);
    expect(again.images.filter(({ cached }) => !cached)).toEqual([]);
    expect(new Set(told)).toEqual(new Set(['made']));
  }, 240_000);

  test('our own add little to their base', () => {
    const size = (variable: string): number =>
      made.images.find(({ name }) => name === image(variable))?.sizeBytes ?? NaN;
    const added = OWN_IMAGES.map(({ name, variable }) => ({ name, mib: (size(variable) - size('NODE_IMAGE')) / MIB }));
    expect(added.filter(({ mib }) => !(mib < 30))).toEqual([]);
  });

  test.each([
    ['HARNESS_IMAGE', ['list'], 'smoke'],
    ['AGENT_IMAGE', ['agent', '--help'], '--token-file'],
    [
      'CLI_IMAGE',
      ['run', '--time-scale', '0.05', '--workers', '1', '--threads', '1', '--out', '/tmp/results'],
      'report:',
    ],
    ['CLIENT_SIM_IMAGE', ['--help'], '--controller'],
  ])(
    'the program of %s starts',
    async (variable, args, says) => {
      const { code, stdout } = await cli(['run', '--rm', '--network', 'none', image(variable), ...args]);
      // The verdict of a run is the machine's business.
      const ended = args[0] === 'run' ? [0, 4, 99].includes(code) : code === 0;
      expect({ ended, says: stdout.includes(says) }).toEqual({ ended: true, says: true });
    },
    120_000,
  );

  test('what needs no engine does not run as root', async () => {
    const users = await Promise.all(
      ['CLIENT_SIM_IMAGE', 'MCP_SERVER_IMAGE', 'CLI_IMAGE'].map((variable) =>
        cli(['run', '--rm', '--network', 'none', '--entrypoint', 'id', image(variable), '-u']),
      ),
    );
    expect(users.map(({ stdout }) => stdout.trim())).toEqual(['1000', '1000', '1000']);
  }, 120_000);

  test('the server answers its health check, and a wrong path, a wrong port do not', async () => {
    const { stdout } = await cli(['run', '--detach', '--rm', '--network', 'none', image('MCP_SERVER_IMAGE')]);
    const id = stdout.trim();
    onTestEnd(() => cli(['rm', '--force', id]));
    const check = async (port: string, path: string): Promise<boolean> =>
      (await cli(['exec', id, 'answers', port, path])).code === 0;
    await until('a healthy server', () => check('3000', '/healthz'), 20_000);
    expect([await check('3000', '/nothing-here'), await check('3001', '/healthz')]).toEqual([false, false]);
  }, 40_000);

  test.each(STICKINESS)(
    'HAProxy takes the gateway with stickiness %s, without a word',
    async (sticky) => {
      const { code, stdout, stderr } = await inContainer(
        image('HAPROXY_IMAGE'),
        `haproxy -c -f /given/haproxy.${sticky}.cfg`,
        join(packageRoot, 'swarm', 'gateway'),
      );
      expect({ code, words: `${stdout}${stderr}`.split('\n').filter((line) => /WARNING|ALERT/.test(line)) }).toEqual({
        code: 0,
        words: [],
      });
    },
    120_000,
  );

  test('Prometheus takes configuration and rules, and every alert fires when it should and only then', async () => {
    const places =
      's|/etc/prometheus/rules/|/given/|; s/\\*.yml/alerts.yml/; s|/run/secrets/[a-z_]*|/given/alerts.yml|';
    const command =
      `cd /given && sed 's/{{[^}]*}}/bench/g' prometheus.yml | sed '${places}' >/tmp/p.yml && ` +
      'promtool check config /tmp/p.yml && promtool test rules alerts.test.yml';
    const { code, stdout, stderr } = await inContainer(
      image('PROMETHEUS_IMAGE'),
      command,
      join(packageRoot, 'monitoring', 'prometheus'),
    );
    expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' });
  }, 120_000);

  describe('and with one', () => {
    test('they are pushed, and the stack gets their names there', async () => {
      const docker = dockerOfTests();
      const signal = AbortSignal.timeout(220_000);
      const { environment: standIns } = await makeStandIns(docker, signal, ['node', 'node-exporter', 'registry']);
      const { stdout: started } = await cli([
        'run',
        '--detach',
        '--rm',
        '--publish',
        '127.0.0.1::5000',
        standIns.REGISTRY_IMAGE ?? '',
      ]);
      onTestEnd(() => cli(['rm', '--force', '--volumes', started.trim()]));
      const registry = (await cli(['port', started.trim(), '5000'])).stdout.trim();
      await until(
        'the registry',
        () =>
          fetch(`http://${registry}/v2/`).then(
            ({ ok }) => ok,
            () => false,
          ),
        30_000,
      );

      const onProgress = (): void => undefined;
      const agent = { docker, packageRoot, base: standIns.NODE_IMAGE, own: ['agent'], onProgress, signal } as const;
      const local = await buildImages(agent);
      const pushed = {
        ...(await pushImages({ docker, environment: standIns, registry, env: {}, onProgress }, signal)),
        ...(await buildImages({ ...agent, push: registry })).environment,
      };
      onTestEnd(() => cli(['rmi', ...Object.values(pushed)]));
      const [, repository = '', tag] = /^[^/]+\/(.+):([^:]+)$/.exec(pushed.AGENT_IMAGE ?? '') ?? [];
      expect(pushed.AGENT_IMAGE).toBe(`${registry}/${local.environment.AGENT_IMAGE}`);
      expect(await getJsonFrom(`http://${registry}/v2/${repository}/tags/list`)).toEqual({
        name: repository,
        tags: [tag],
      });
    }, 240_000);
  });
});
