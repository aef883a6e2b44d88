/** Our whole stack on a real engine: deployed both ways, all of it running and seen by Prometheus, and removed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { deployStack } from '../../harness/platform/swarm/stack/deploy-stack.js';
import { findStack, namesOf } from '../../harness/platform/swarm/stack/stack-objects.js';
import { listProfiles } from '../../scenarios/schema/list-scenarios.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { type OwnStack, offlineImages, ownStack, scrapeTargets, untilRunning } from '../support/swarm/own-stack.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { until } from '../support/until.js';
import { callSession, openSession } from './support/mcp-session.js';
import { untilNothing } from './support/queries.js';
import { helloOverTcp, helloOverWebSocket } from './support/stream-session.js';

const NAME = 'swarmbench-stack';
const EXPECTED_TARGETS = [
  'agent.0',
  'alertmanager.1',
  'gateway.1',
  'harness.1',
  'mcp-server.1',
  'mcp-server.2',
  'node-exporter.0',
  'prometheus.1',
];

const activitySchema = z.looseObject({
  activeReplicas: z.number(),
  sessions: z.number(),
  replicas: z.array(z.looseObject({ task: z.string(), active: z.boolean() })),
});

await describeOnSwarm('the stack', 'cli', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-stack-'));
  let stack: OwnStack;

  beforeAll(async () => {
    await removeStack(NAME);
    stack = await ownStack(NAME, folder, await offlineImages());
  }, 300_000);

  afterAll(async () => {
    await removeStack(NAME);
    rmSync(folder, { recursive: true, force: true });
  }, 240_000);

  test('has a service of workers for every profile that comes with swarmbench, all at rest', () => {
    const workers = stack.spec.services.filter(({ Name }) => Name.includes('_client-sim-'));
    expect(workers.map(({ Name }) => Name.slice(`${NAME}_client-sim-`.length)).sort()).toEqual(
      listProfiles()
        .map(({ name }) => name)
        .sort(),
    );
    expect(workers.map(({ Mode }) => Mode)).toEqual(workers.map(() => ({ Replicated: { Replicas: 0 } })));
  });

  describe('by docker stack deploy', () => {
    test('all services run, and Prometheus reaches every task', async () => {
      const { code, stderr } = await cli(
        [
          'stack',
          'deploy',
          '--detach',
          '--resolve-image',
          'never',
          ...stack.files.flatMap((file) => ['-c', file]),
          NAME,
        ],
        stack.environment,
      );
      expect({ code, stderr }).toMatchObject({ code: 0 });
      await untilRunning(NAME);
      await expectAllTargetsUp(stack);
    }, 240_000);

    test('the gateway answers MCP at one port, streams at the other, and shows its statistics', async () => {
      const session = await openSession(stack.gatewayUrl);
      expect(await callSession(stack.gatewayUrl, session)).toMatchObject({ status: 200, replica: session.replica });
      const hello = { id: 1, result: { serverInfo: { name: expect.stringContaining('swarmbench') } } };
      expect(await helloOverWebSocket(stack.streamUrl)).toMatchObject(hello);
      expect(await helloOverTcp(stack.streamUrl)).toMatchObject(hello);
      const [statistics, alive] = await Promise.all(
        [`${stack.statisticsUrl}/stats`, `${stack.harnessUrl}/healthz`].map((url) =>
          fetch(url).then(({ status }) => status),
        ),
      );
      expect([statistics, alive]).toEqual([200, 200]);
    }, 120_000);

    test('a session stays at the replica that opened it, and both replicas have some', async () => {
      const sessions = await Promise.all(Array.from({ length: 8 }, () => openSession(stack.gatewayUrl)));
      expect(new Set(sessions.map(({ replica }) => replica)).size).toBe(2);
      for (let round = 0; round < 4; round += 1) {
        const answers = await Promise.all(sessions.map((session) => callSession(stack.gatewayUrl, session)));
        expect(answers).toEqual(sessions.map(({ replica }) => ({ status: 200, replica })));
      }
    }, 120_000);

    test('the harness says which replica has a session, and which replicas do not answer', async () => {
      const ask = async (path: string): Promise<unknown> => {
        const headers = { authorization: `Bearer ${stack.apiToken}` };
        return (await fetch(`${stack.harnessUrl}${path}`, { headers })).json();
      };
      const sessions = await Promise.all(Array.from({ length: 4 }, () => openSession(stack.gatewayUrl)));
      for (const { id, replica } of sessions)
        expect(await ask(`/cluster/sessions/${id}`)).toMatchObject({ active: true, replica });
      const activity = async () => activitySchema.parse(await ask('/cluster/status'));
      const before = await activity();
      expect(before).toMatchObject({ stack: NAME, nodes: 1, activeNodes: 1, activeReplicas: 2 });
      expect(before.sessions).toBeGreaterThanOrEqual(sessions.length);
      const [first] = before.replicas;
      const { stdout } = await cli(['ps', '-q', '--filter', `label=com.docker.swarm.task.id=${first?.task}`]);
      const container = stdout.trim();
      expect((await cli(['pause', container])).code).toBe(0);
      try {
        // Swarm still calls it running.
        await until('a replica that does not answer', async () => (await activity()).activeReplicas === 1);
        expect((await activity()).replicas).toContainEqual(
          expect.objectContaining({ task: first?.task, active: false }),
        );
      } finally {
        await cli(['unpause', container]);
      }
      await until('both replicas to answer', async () => (await activity()).activeReplicas === 2);
    }, 120_000);

    test('strangers get nothing from the harness', async () => {
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await fetch(`${stack.harnessUrl}/runs`, { headers })).status;
      expect(await status({})).toBe(401);
      expect(await status({ authorization: `Bearer ${stack.apiToken}` })).toBe(200);
    });

    test('the harness shows viewers the services, nodes and tasks that the engine knows', async () => {
      const asked = async (
        path: string,
        token: string,
      ): Promise<{ readonly status: number; readonly body: unknown }> => {
        const answer = await fetch(`${stack.harnessUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
        return { status: answer.status, body: await answer.json() };
      };
      const ask = (path: string) => asked(path, stack.apiToken);
      const { ID, Description, Status } = (await engine.nodes.all(AbortSignal.timeout(10_000)))[0] ?? {};
      expect(await ask('/cluster')).toMatchObject({
        status: 200,
        body: {
          stack: NAME,
          nodes: 1,
          activeNodes: 1,
          services: expect.arrayContaining([
            expect.objectContaining({ name: 'mcp-server', running: 2, wanted: 2, state: 'running' }),
            expect.objectContaining({ name: 'client-sim-normal', running: 0, wanted: 0 }),
          ]),
        },
      });
      expect(await ask('/cluster/nodes?active=true')).toMatchObject({
        status: 200,
        body: {
          nodes: [
            {
              id: ID,
              name: Description?.Hostname,
              address: Status?.Addr,
              role: 'manager',
              active: true,
              engine: Description?.Engine?.EngineVersion,
            },
          ],
        },
      });
      expect(await ask('/cluster/nodes?active=false')).toEqual({ status: 200, body: { nodes: [] } });
      const replica = (slot: number) => ({
        slot,
        task: expect.stringMatching(/^[0-9a-z]{25}$/),
        node: Description?.Hostname,
        state: 'running',
        since: expect.any(String),
      });
      expect(await ask('/cluster/services/mcp-server/replicas')).toEqual({
        status: 200,
        body: { service: 'mcp-server', running: 2, wanted: 2, replicas: [replica(1), replica(2)] },
      });
      expect(await ask('/cluster/services/nobody/replicas')).toMatchObject({
        status: 404,
        body: { error: { code: 'SERVICE_NOT_FOUND' } },
      });
      expect(await ask('/counters-stats')).toEqual({
        status: 200,
        body: { messagesSent: 0, messagesReceived: 0, messageSendErrors: 0 },
      });
      const workers = readFileSync(stack.environment.WORKER_TOKEN_FILE ?? '', 'utf8').trim();
      for (const path of ['/cluster', '/cluster/nodes', '/cluster/services/mcp-server/replicas', '/counters-stats']) {
        expect([path, (await asked(path, workers)).status, (await asked(path, 'nobody')).status]).toEqual([
          path,
          403,
          401,
        ]);
      }
    }, 120_000);

    test('its removal leaves nothing', async () => {
      await removeStack(NAME);
      expect(namesOf(await findStack({ engine, name: NAME }, AbortSignal.timeout(10_000)))).toEqual([]);
    }, 240_000);
  });

  describe('by our own deployer', () => {
    test('all services run, and a second deployment changes nothing', async () => {
      const deploy = () =>
        deployStack(
          engine,
          stack.spec,
          { contentNames: true, prune: true, pinImages: false, timeoutMs: 150_000 },
          () => undefined,
          AbortSignal.timeout(200_000),
        );
      await deploy();
      expect((await deploy()).changes.filter(({ did }) => did !== 'unchanged')).toEqual([]);
      await expectAllTargetsUp(stack);
    }, 300_000);

    test('its removal leaves nothing', async () => {
      await removeStack(NAME);
      expect(namesOf(await findStack({ engine, name: NAME }, AbortSignal.timeout(10_000)))).toEqual([]);
    }, 240_000);
  });
});

/** Prometheus finds tasks every 5 s and scrapes them every 5 s. */
async function expectAllTargetsUp(stack: OwnStack): Promise<void> {
  const wrong = async (): Promise<readonly string[]> => {
    const targets = await scrapeTargets(stack);
    const names = targets.map(({ name }) => name);
    return [
      ...EXPECTED_TARGETS.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
      ...names.filter((name) => !EXPECTED_TARGETS.includes(name)).map((name) => `${name} is there`),
      ...targets
        .filter(({ health }) => health !== 'up')
        .map(({ name, health, lastError }) => `${name} is ${health} ${lastError}`),
    ];
  };
  expect(await untilNothing('scrape targets', wrong, 240_000)).toEqual([]);
}
