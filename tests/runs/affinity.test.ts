import { describe, expect, jest, test } from '@jest/globals';
import { type Report, reportSchema } from '../../harness/report/schema.js';
import { startReferenceServer } from '../../swarm/reference-server/reference-server.js';
import { type Passed, type Scatter, type ScatterProxy, startScatterProxy } from '../servers/scatter-proxy.js';
import { eventsOf } from '../support/run-files.js';
import { run } from '../support/swarmbench.js';
import { onTestEnd } from '../support/test-end.js';

jest.setTimeout(120_000);

const NAMES = ['one', 'two'];

async function startTwo(scatter: Scatter): Promise<ScatterProxy> {
  const servers = await Promise.all(
    NAMES.map((id) =>
      startReferenceServer({
        host: '127.0.0.1',
        port: 0,
        id,
        era: 'both',
        answers: 'json',
        sessions: 'stateful',
        sessionTtlMs: 60_000,
        maxSessions: 10_000,
        seed: 1,
      }),
    ),
  );
  onTestEnd(async () => void (await Promise.all(servers.map((server) => server.close(500)))));
  return startScatterProxy(
    servers.map(({ port }) => `http://127.0.0.1:${port}/mcp`),
    scatter,
  );
}

interface Seen {
  readonly sessions: number;
  readonly moved: number;
  readonly moves: number;
  readonly unknown: number;
}

/** What the gateway saw of the load: not of the preflight, which is the first client of each era. */
function seenBy({ passed }: ScatterProxy, era: 'legacy' | 'modern'): Seen & { readonly calls: readonly Passed[] } {
  const clients = new Map<string, Passed[]>();
  for (const one of passed.filter((each) => each.era === era))
    clients.set(one.client, [...(clients.get(one.client) ?? []), one]);
  const ofLoad = [...clients.values()].slice(1);
  const moves = ofLoad.map(
    (client) => client.filter(({ server }, at) => at > 0 && server !== client[at - 1]?.server).length,
  );
  return {
    sessions: ofLoad.length,
    moved: moves.filter((count) => count > 0).length,
    moves: moves.reduce((sum, count) => sum + count, 0),
    unknown: ofLoad.flat().filter(({ status }) => status === 404).length,
    calls: ofLoad.flat().filter(({ method }) => method === 'tools/call'),
  };
}

function profileOf(report: Report, name: string) {
  const found = report.affinity?.perProfile.find(({ profile }) => profile === name);
  if (found === undefined) throw new Error(`no affinity of profile ${name}`);
  return found;
}

const caller = {
  profile: 'low-load',
  clients: 3,
  thinkTime: '20ms',
  operations: [{ tool: 'echo', arguments: { message: '{{ text 12 }}' } }],
};

describe('behind a gateway that sends requests elsewhere', () => {
  /** The third call of a session goes to the wrong server, which ends it; of the preflight's session none. */
  const scatter: Scatter = ({ era, method, client, home, nth }) => {
    if (era === 'modern') return nth % NAMES.length;
    first ??= client;
    return client !== first && method === 'tools/call' && nth % 4 === 3 ? 1 - home : home;
  };
  let first: string | undefined;

  test('sessions are lost and moved exactly as the servers saw it, and the stateless era loses nothing', async () => {
    const proxy = await startTwo(scatter);
    const finished = await run({
      target: proxy.url,
      scenario: {
        name: 'scattered',
        workload: { sessions: { ...caller, era: 'legacy' }, stateless: { ...caller, era: 'modern' } },
        stages: [{ name: 'steady', duration: '3s' }],
        thresholds: [
          'affinity.moved{profile="sessions"} == 0',
          'affinity.moved > 0',
          'errors.rate{replica="one"} <= 100%',
          'latency.p50{replica="two"} < 30s',
          'latency.p50{replica="three"} < 5s',
        ],
        drain: '3s',
      },
    });
    const { events } = finished;
    const report = reportSchema.parse(finished.report);
    const [legacy, modern] = [seenBy(proxy, 'legacy'), seenBy(proxy, 'modern')];
    expect(legacy.unknown).toBeGreaterThan(0);

    const sessions = profileOf(report, 'sessions');
    expect(sessions).toMatchObject({
      era: 'legacy',
      sticky: null,
      sessions: legacy.sessions,
      moved: legacy.moved,
      moves: legacy.moves,
      unknown: legacy.unknown,
      lost: legacy.unknown,
    });
    expect(sessions.failed).toBe(legacy.unknown);
    for (const [index, name] of NAMES.entries()) {
      const answered = legacy.calls.filter(({ server }) => server === index);
      expect(sessions.perReplica.find(({ replica }) => replica === name)).toMatchObject({
        succeeded: answered.filter(({ status }) => status === 200).length,
        failed: answered.filter(({ status }) => status === 404).length,
      });
    }

    const stateless = profileOf(report, 'stateless');
    expect(stateless).toMatchObject({
      era: 'modern',
      sessions: modern.sessions,
      moved: modern.moved,
      moves: modern.moves,
      unknown: 0,
      failed: 0,
      succeeded: modern.calls.length,
    });
    expect(stateless.moves).toBeGreaterThan(0);

    expect(report.affinity).toMatchObject({ unattributed: 0, moved: legacy.moved + modern.moved });
    expect(report.thresholds.map(({ passed }) => passed)).toEqual([false, true, true, true, false]);
    expect(report.thresholds[0]?.actual).toBe(legacy.moved);
    expect(report.thresholds[4]?.why).toContain('three');
    expect(
      eventsOf(events, 'preflight.passed')[0]?.routes?.map(({ profiles, pinned }) => [profiles, pinned.era]),
    ).toEqual([
      [['sessions'], 'legacy'],
      [['stateless'], 'modern'],
    ]);
  });
});

test('on one machine each client stays at the replica of its endpoint, and every answer has one', async () => {
  const finished = await run({
    scenario: {
      name: 'own-replicas',
      target: { server: 'reference', replicas: 2 },
      workload: { caller: { ...caller, clients: 4 } },
      stages: [{ name: 'steady', duration: '1s' }],
      drain: '2s',
    },
  });
  const report = reportSchema.parse(finished.report);
  expect(report.affinity).toMatchObject({
    sessions: 4,
    moved: 0,
    unknown: 0,
    unattributed: 0,
    perReplica: [{ replica: 'reference-1' }, { replica: 'reference-2' }],
  });
  expect(report.replicas.map(({ sessions }) => sessions.opened)).toEqual([2, 2]);
  expect(report.replicas.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(report.summary.succeeded);
  expect(report.replicas.every(({ latencyMs }) => latencyMs.count > 0)).toBe(true);
});
