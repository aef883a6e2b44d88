import { describe, expect, test } from '@jest/globals';
import { startReferenceTarget } from '../support/reference-target.js';
import { operationTotals } from '../support/run-files.js';
import { streamsOf, streamTotals } from '../support/streams.js';
import { run } from '../support/swarmbench.js';

const publisher = {
  clients: 3,
  arrivals: { rate: '20/s' },
  connections: 1,
  operations: [
    { tool: 'publish', arguments: { topic: '{{ client 3 }}', message: '{{ text 50 }}', stamp: '{{ stamp }}' } },
  ],
};
/** In the preflight, one trial call; its stamp is not real, so no subscriber counts it. */
const trialCalls = 1;

describe.each(['legacy', 'modern'] as const)('publications in the %s era', (era) => {
  test("each reaches every subscriber once, over two workers, and all counts agree with the server's", async () => {
    const server = await startReferenceTarget();
    const finished = await run({
      target: server.url,
      args: ['--workers', '2'],
      scenario: {
        name: 'fanout',
        target: { era },
        workload: {
          subscriber: { clients: 6, timeout: '20s', operations: [{ subscribe: 'bench://topic/{{ client 3 }}' }] },
          publisher,
        },
        stages: [
          { name: 'warm-up', duration: '1s', measured: false },
          { name: 'steady', duration: '2s' },
        ],
        thresholds: [
          'delivery.lost == 0',
          'delivery.duplicated == 0',
          'delivery.outOfOrder == 0',
          'delivery.max < 60s',
          'delivery.count > 50',
          'streams.lost == 0',
          'errors.count == 0',
        ],
      },
    });
    expect(finished.report.thresholds.filter(({ passed }) => !passed)).toEqual([]);
    const published = operationTotals(finished.telemetry).get('publish')?.succeeded ?? 0;
    const { deliveries, summary, profiles } = streamsOf(finished);
    const totals = streamTotals(finished.telemetry);
    expect(server.stats().published).toBe(published + trialCalls);
    // Each topic has one publisher and two subscribers.
    expect(deliveries).toMatchObject({
      publishers: 3,
      published,
      unconfirmed: 0,
      subscriptions: 6,
      lost: 0,
      delivered: totals.delivered,
      expected: 2 * published - (deliveries?.before ?? 0),
    });
    expect(totals).toMatchObject({
      opened: 6,
      resumed: 0,
      lost: 0,
      ended: 0,
      duplicated: 0,
      outOfOrder: 0,
      unreadable: 0,
      updates: totals.delivered,
    });
    expect(server.stats().streams.updates).toBe(totals.updates);
    // Both on this machine: one clock.
    expect(summary.clockErrorMs).toBe(0);
    expect(summary.deliveryMs.count).toBe(summary.delivered);
    expect(profiles.map(({ name, delivered }) => [name, delivered])).toEqual([
      ['subscriber', summary.delivered],
      ['publisher', 0],
    ]);
  }, 60_000);
});

describe('consumers that are away and come back', () => {
  const scenario = (era: 'legacy' | 'modern') => ({
    name: 'backlog',
    target: { era },
    workload: {
      subscriber: {
        clients: 3,
        timeout: '20s',
        operations: [{ subscribe: 'bench://topic/{{ client 3 }}' }],
        stream: { away: ['backlog'] },
      },
      publisher,
    },
    stages: [
      { name: 'before', duration: '2s' },
      { name: 'backlog', duration: '1500ms' },
      { name: 'drain', duration: '1500ms' },
    ],
    thresholds: ['delivery.lost == 0'],
  });

  test("get all they missed from the server's store, each once, and it is known how long that took", async () => {
    const server = await startReferenceTarget();
    const finished = await run({
      target: server.url,
      scenario: {
        ...scenario('legacy'),
        thresholds: ['delivery.lost == 0', 'delivery.duplicated == 0', 'catchUp.max < 60s'],
      },
    });
    expect(finished.report.thresholds.filter(({ passed }) => !passed)).toEqual([]);
    const { stages, deliveries, summary } = streamsOf(finished);
    expect(deliveries).toMatchObject({ lost: 0, delivered: deliveries?.expected });
    expect(summary).toMatchObject({ opened: 3, resumed: 3, returned: 3, duplicated: 0 });
    expect(summary.catchUpMs.count).toBe(3);
    // What was published in the stage of silence was read in the next: three times 20/s for 1.5 s, one subscriber each.
    const [before, backlog, drain] = stages;
    expect(server.stats().streams.replayed).toBeGreaterThan(45);
    expect((before?.delivered ?? 0) + (backlog?.delivered ?? 0) + (drain?.delivered ?? 0)).toBe(deliveries?.delivered);
    expect(drain?.delivered ?? 0).toBeGreaterThan(2 * (backlog?.delivered ?? Infinity));
    expect(drain?.deliveryMs.max ?? 0).toBeGreaterThan(1_000);
  }, 60_000);

  test('miss what the server keeps no more of, and it is counted to the last one', async () => {
    const server = await startReferenceTarget({ replay: 5 });
    const finished = await run({ target: server.url, scenario: scenario('legacy') });
    const { deliveries, summary } = streamsOf(finished);
    expect(deliveries?.lost).toBeGreaterThan(20);
    expect(deliveries?.lost).toBe((deliveries?.expected ?? 0) - (deliveries?.delivered ?? 0));
    expect(summary.duplicated).toBe(0);
    expect(finished.report.thresholds).toMatchObject([
      { check: 'delivery.lost == 0', passed: false, actual: deliveries?.lost },
    ]);
  }, 60_000);
});

test('a server without subscriptions is found out before the load', async () => {
  const server = await startReferenceTarget({ sessions: 'stateless' });
  const finished = await run({
    target: server.url,
    scenario: {
      name: 'refused',
      target: { era: 'legacy' },
      workload: { subscriber: { clients: 1 } },
      stages: [{ name: 'a', duration: '1s' }],
    },
  });
  expect(finished.code).toBe(3);
  expect(finished.output).toContain('profile subscriber: its stream failed with http_405');
}, 60_000);
