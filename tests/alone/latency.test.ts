import { describe, expect, test } from '@jest/globals';
import { fixedDelay, stopsOnce } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { median } from '../support/calls.js';
import { withLateness } from '../support/lateness.js';
import { run, simpleScenario } from '../support/swarmbench.js';

/** Wake-ups on the way from the worker to the server and back that the server's own clock does not see. */
const WAKE_UPS = 4;

describe('what is measured is what happened:', () => {
  test.each(['legacy', 'modern'] as const)('a tool that takes 50 ms takes 50 ms (%s era)', async (era) => {
    const { url, log } = await startTestServer({ era, behaviour: fixedDelay(50) });
    const {
      value: { report },
      lateMs,
    } = await withLateness(() =>
      run({
        scenario: simpleScenario({ clients: 5, arrivals: { rate: '10/s' } }, 3),
        target: url,
      }),
    );
    const { latencyMs, serviceMs, sent, succeeded } = report.summary;
    expect(succeeded).toBe(log.calls.length);
    expect(sent).toBe(succeeded);
    // The truth by the server's own clock: 50 ms, and what a busy machine added to it.
    const truthMs = median(log.calls.map(({ atMs, endedAtMs }) => (endedAtMs ?? Number.NaN) - atMs));
    const withinMs = 2 + WAKE_UPS * lateMs;
    expect(truthMs).toBeGreaterThanOrEqual(50);
    expect(serviceMs.p50).toBeGreaterThanOrEqual(50);
    expect(serviceMs.p50).toBeLessThan(truthMs + withinMs);
    expect(latencyMs.p50).toBeGreaterThanOrEqual(50);
    // From the due time: the pace of 1 ms comes on top.
    expect(latencyMs.p50).toBeLessThan(truthMs + withinMs + 1);
  });

  test('an open loop shows that a server stopped for a second, and the service time beside it shows why', async () => {
    const { url } = await startTestServer({ behaviour: stopsOnce(1_000, 1_000) });
    const { report } = await run({
      scenario: simpleScenario(
        { clients: 1, arrivals: { rate: '200/s' }, maxInFlight: 1, connections: 1, timeout: '3s' },
        4,
      ),
      target: url,
    });
    const { latencyMs, serviceMs, sent, dropped } = report.summary;
    // One request waited for the server; the 200 that were due meanwhile waited for that one.
    expect(latencyMs.p99).toBeGreaterThan(850);
    expect(latencyMs.max).toBeLessThan(1_500);
    expect(serviceMs.max).toBeGreaterThan(900);
    expect(serviceMs.p99).toBeLessThan(100);
    expect(dropped).toBe(0);
    expect(sent).toBeGreaterThanOrEqual(795);
  });

  test('a closed loop of the same kind shows the stop in its maximum only', async () => {
    const { url } = await startTestServer({ behaviour: stopsOnce(1_000, 1_000) });
    const { report } = await run({
      scenario: simpleScenario({ thinkTime: '2ms', timeout: '3s' }, 3),
      target: url,
    });
    expect(report.summary.latencyMs.max).toBeGreaterThan(900);
    expect(report.summary.latencyMs.p99).toBeLessThan(100);
  });
});
