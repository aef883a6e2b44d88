/** The agent beside a real engine: it follows containers of tasks as they come and go. */
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { startAgent } from '../../harness/agent/agent.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { dockerOfTests, getJsonFrom, offlineImages } from '../support/swarm/own-stack.js';
import { describeOnSwarm } from '../support/swarm/swarm.js';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';

const SERVICE = 'swarmbench-agent-test';
const TOKEN = 'a token of the tests';

await describeOnSwarm('the agent', 'cli', () => {
  test('shows what a task uses from its start to its end, and details only to those who have the token', async () => {
    const { environment } = await offlineImages();
    const lines: string[] = [];
    const agent = await startAgent({
      docker: dockerOfTests(),
      host: '127.0.0.1',
      port: 0,
      token: TOKEN,
      stack: undefined,
      node: 'here',
      toolsImage: '',
      log: (line) => lines.push(line),
    });
    onTestEnd(() => agent.close());
    onTestEnd(() => cli(['service', 'rm', SERVICE]));
    const metric = async (name: string): Promise<number | undefined> => {
      const text = await (await fetch(`${agent.url}/metrics`)).text();
      const value = new RegExp(
        `^${name}\\{stack="",service="${SERVICE}",slot="1",node="here",task="\\w+"\\} (\\S+)$`,
        'm',
      ).exec(text)?.[1];
      return value === undefined ? undefined : Number(value);
    };
    const busy = 'while :; do :; done';
    await cli([
      'service',
      'create',
      '--detach',
      '--no-resolve-image',
      '--name',
      SERVICE,
      // The loop does not end by itself, and the engine need not wait ten seconds to kill it.
      '--stop-grace-period',
      '1s',
      '--limit-cpu',
      '0.1',
      '--entrypoint',
      'sh',
      environment.NETTOOLS_IMAGE ?? '',
      '-c',
      busy,
    ]);

    const before = await until('its processor time', () => metric('container_cpu_usage_seconds_total'), 30_000);
    await until('more of it', async () => ((await metric('container_cpu_usage_seconds_total')) ?? 0) > before, 10_000);
    expect(await metric('container_memory_working_set_bytes')).toBeGreaterThan(0);
    expect(await metric('container_cpu_cfs_throttled_seconds_total')).toBeGreaterThan(0);

    expect((await fetch(`${agent.url}/containers`)).status).toBe(401);
    expect(
      (await fetch(`${agent.url}/containers`, { headers: { authorization: 'Bearer another token' } })).status,
    ).toBe(401);
    const { containers } = z
      .object({ containers: z.array(z.looseObject({ labels: z.looseObject({ service: z.string() }) })) })
      .parse(await getJsonFrom(`${agent.url}/containers`, { headers: { authorization: `Bearer ${TOKEN}` } }));
    expect(containers.map(({ labels }) => labels.service)).toContain(SERVICE);
    expect(await getJsonFrom(`${agent.url}/healthz`)).toEqual({ status: 'ok' });

    await cli(['service', 'rm', SERVICE]);
    await until('its series to be gone', async () => (await metric('container_processes')) === undefined, 30_000);
    expect(lines).toEqual([]);
  }, 200_000);
});

test('a missing engine is reported at once', async () => {
  const Docker = dockerOfTests().constructor as new (options: object) => ReturnType<typeof dockerOfTests>;
  const docker = new Docker({ socketPath: '/nobody/listens/here.sock' });
  await expect(
    startAgent({
      docker,
      host: '127.0.0.1',
      port: 0,
      token: TOKEN,
      stack: undefined,
      node: undefined,
      toolsImage: '',
      log: () => undefined,
    }),
  ).rejects.toThrow(/here\.sock/);
});
