import { afterEach, describe, expect, test } from '@jest/globals';
import type { Telemetry } from '../../client-sim/protocol/telemetry.js';
import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { McpServerOptions, Reaction } from '../support/client-sim/mcp-server.js';
import { testOperation, testPlan, testProfile, testStages } from '../support/client-sim/plans.js';
import { decodeToHistogram } from '../support/protocol/library-histogram.js';
import { Testbed, totals } from './support/testbed.js';

let testbed: Testbed | undefined;
afterEach(async () => {
  await testbed?.close();
  testbed = undefined;
});

async function start(
  server: McpServerOptions,
  args: readonly string[] = [],
  controller: Parameters<typeof Testbed.start>[2] = {},
): Promise<Testbed> {
  testbed = await Testbed.start(server, args, controller);
  return testbed;
}

function expectBalance(batches: readonly Telemetry[]): void {
  const offered = new Map<string, number>();
  for (const batch of batches) {
    for (const row of batch.series) {
      const key = `${row.stage} ${row.profile} ${row.operation}`;
      offered.set(key, (offered.get(key) ?? 0) + row.offered - row.sent - row.dropped - row.unsent);
    }
  }
  for (const gap of offered.values()) expect(gap).toBe(0);
  const sum = totals(batches);
  expect(sum.sent).toBe(sum.succeeded + sum.failed + sum.lost);
  expect(sum.sessionsOpened).toBe(sum.sessionsClosed + sum.sessionsLost);
  for (const [index, batch] of batches.entries()) expect(batch.sequence).toBe(index + 1);
}

describe.each(['legacy', 'modern'] as const)('%s era', (era) => {
  test('open loop: our counts agree with those of the server and with the schedule', async () => {
    const { server } = await start({ era });
    const plan = testPlan({
      profiles: [
        testProfile({
          name: 'a',
          timeoutMs: 30_000,
          clients: 3,
          arrivals: { model: 'open', ratePerSecond: 60, spacing: 'uniform' },
          connections: 2,
          maxInFlight: 2,
          onClose: 'delete',
        }),
        testProfile({
          name: 'b',
          timeoutMs: 30_000,
          clients: 2,
          firstSlot: 3,
          arrivals: { model: 'open', ratePerSecond: 40, spacing: 'poisson' },
          operations: [testOperation('echo', 2), testOperation('slow', 1)],
        }),
      ],
      stages: testStages({ ms: 1_500, from: 0, to: 1, scale: 'rate' }, { ms: 1_000 }),
      drainMs: 10_000,
    });
    testbed?.assign(plan, era);
    const batches = (await testbed?.finished()) ?? [];
    const sum = totals(batches);
    expect(sum).toMatchObject({ failed: 0, lost: 0 });
    expect(sum.succeeded).toBe(server.answered);
    expect(
      totals(batches.map((batch) => ({ ...batch, series: batch.series.filter((row) => row.profile === 'a') }))).offered,
    ).toBe(135 + 180);
    expect(batches.map(({ fromMs, toMs }) => [fromMs, toMs]).slice(0, 3)).toEqual([
      [0, 1_000],
      [1_000, 1_500],
      [1_500, 2_000],
    ]);
    expect(batches.at(-1)?.final).toEqual({ reason: 'finished' });
    expect(sum.sessionsOpened).toBe(5);
    if (era === 'legacy') expect(server.sessionsDeleted).toBe(3);
    const latency = decodeToHistogram(batches.find((batch) => batch.stage === 1)?.series[0]?.histograms.latency ?? '');
    expect(latency.totalCount).toBeGreaterThan(0);
    expectBalance(batches);
  });

  test.each<{
    readonly name: string;
    readonly profile: Partial<ProfilePlan>;
    readonly sessions: (sent: number) => number;
  }>([
    { name: 'pool', profile: { clients: 4, session: { mode: 'pool', size: 2 } }, sessions: () => 2 },
    { name: 'per-request', profile: { clients: 2, session: { mode: 'per-request' } }, sessions: (sent) => sent },
    {
      name: 'churn',
      profile: { clients: 2, session: { mode: 'churn', every: { operations: 5 } } },
      sessions: (sent) => sent / 5,
    },
  ])('session mode $name', async ({ profile, sessions }) => {
    const { server } = await start({ era });
    testbed?.assign(
      testPlan({
        profiles: [
          testProfile({
            arrivals: { model: 'closed', thinkTime: { kind: 'fixed', ms: 10 } },
            onClose: 'delete',
            ...profile,
          }),
        ],
        stages: testStages({ ms: 4_000 }),
      }),
      era,
    );
    const batches = (await testbed?.finished()) ?? [];
    const sum = totals(batches);
    expect(sum.succeeded).toBe(server.answered);
    expect(sum.succeeded).toBeGreaterThan(5);
    // A session may be open for an operation that the end of the stage prevented.
    expect(sum.sessionsOpened).toBeGreaterThanOrEqual(Math.floor(sessions(sum.sent)));
    expect(sum.sessionsOpened).toBeLessThanOrEqual(sessions(sum.sent) + 4);
    if (era === 'legacy') expect(server.sessionsOpened).toBe(sum.sessionsOpened);
    expectBalance(batches);
  });

  test('every operation and session has one outcome, whatever the server does', async () => {
    const reactions: readonly Reaction[] = [
      'answer',
      'answer',
      'late',
      'error500',
      'answer',
      'reset',
      'toolError',
      'answer',
      'silence',
      'answer',
      ...(era === 'legacy' ? ['forget' as const] : []),
    ];
    const { server } = await start({ era, react: (call) => reactions[call % reactions.length] ?? 'answer' });
    testbed?.assign(
      testPlan({
        profiles: [
          testProfile({
            name: 'open',
            clients: 4,
            timeoutMs: 400,
            arrivals: { model: 'open', ratePerSecond: 50, spacing: 'poisson' },
            connections: 2,
            maxInFlight: 2,
          }),
          testProfile({ name: 'piped', clients: 2, firstSlot: 4, timeoutMs: 400, pipeline: 4, maxInFlight: 4 }),
          testProfile({
            name: 'closed',
            clients: 2,
            firstSlot: 6,
            timeoutMs: 400,
            arrivals: { model: 'closed', thinkTime: { kind: 'none' } },
            session: { mode: 'churn', every: { operations: 7 } },
          }),
        ],
        stages: testStages({ ms: 1_000 }, { ms: 500, from: 1, to: 0 }),
      }),
      era,
    );
    const batches = (await testbed?.finished()) ?? [];
    const sum = totals(batches);
    expect(Object.keys(sum.errors)).toEqual(
      expect.arrayContaining(['timeout', 'http_500', 'tool_error', 'stream_lost']),
    );
    if (era === 'legacy') expect(sum.errors.session_lost).toBeGreaterThan(0);
    // The server may have answered what we no longer waited for: those are the late answers.
    expect(sum.succeeded + (sum.errors.tool_error ?? 0)).toBeLessThanOrEqual(server.answered);
    expect(batches.flatMap((batch) => batch.samples).map(({ category }) => category)).toEqual(
      expect.arrayContaining(['http_500', 'tool_error']),
    );
    expectBalance(batches);
  });

  test('the same seed makes the same requests', async () => {
    const operations = [
      {
        ...testOperation('echo', 3),
        params: {
          kind: 'object' as const,
          entries: [
            ['name', { kind: 'constant' as const, json: '"echo"' }],
            [
              'arguments',
              {
                kind: 'object' as const,
                entries: [['message', { kind: 'string' as const, parts: [{ name: 'text' as const, length: 12 }] }]],
              },
            ],
          ],
        } as const,
      },
      testOperation('slow', 1),
    ];
    // Nothing is due after the first part, so that even a busy machine sends everything before the stage ends.
    const oneBurst = testStages({ ms: 4_000 }).map((stage) => ({
      ...stage,
      segments: [
        { startMs: 0, endMs: 600, from: 1, to: 1 },
        { startMs: 600, endMs: 4_000, from: 0, to: 0 },
      ],
    }));
    const asked = async (): Promise<readonly string[]> => {
      const { server } = await start({ era });
      testbed?.assign(
        testPlan({
          seed: 99,
          profiles: [
            testProfile({
              clients: 3,
              operations,
              maxInFlight: 4,
              connections: 4,
              arrivals: { model: 'open', ratePerSecond: 50, spacing: 'poisson' },
            }),
          ],
          stages: oneBurst,
        }),
        era,
      );
      await testbed?.finished();
      await testbed?.close();
      return [...server.asked].sort();
    };
    const first = await asked();
    expect(first.length).toBeGreaterThan(50);
    expect(await asked()).toEqual(first);
  });
});
