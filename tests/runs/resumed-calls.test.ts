import { expect, test } from '@jest/globals';
import { pollingRetryMs, pollingTools, startPollingServer } from '../servers/polling-server.js';
import { operationTotals } from '../support/run-files.js';
import { streamsOf, streamTotals } from '../support/streams.js';
import { run } from '../support/swarmbench.js';

test('calls whose streams the official SDK ends before the answer are answered, and counted on their own', async () => {
  const server = await startPollingServer();
  const finished = await run({
    target: server.url,
    scenario: {
      name: 'polling',
      // One call at a time: what is lost with a connection is the call it was cut for, and no other.
      workload: Object.fromEntries(
        pollingTools.map((tool) => [
          tool,
          {
            profile: 'low-load',
            clients: 2,
            maxInFlight: 1,
            timeout: '20s',
            arrivals: { rate: '5/s' },
            operations: [{ tool }],
          },
        ]),
      ),
      stages: [{ name: 'steady', duration: '2s' }],
      drain: '20s',
      thresholds: ['errors.count == 0'],
    },
  });
  expect(finished.report.thresholds).toMatchObject([{ passed: true }]);
  const totals = operationTotals(finished.telemetry);
  const trialCalls = 1;
  for (const tool of pollingTools)
    expect(totals.get(tool)).toMatchObject({ failed: 0, lost: 0, succeeded: server.calls[tool] - trialCalls });
  const broken = server.calls.close + server.calls.cut;
  expect(broken).toBeGreaterThan(10);
  expect(server.resumptions).toBeGreaterThanOrEqual(broken);
  expect(streamTotals(finished.telemetry)).toMatchObject({
    callsBroken: broken - 2 * trialCalls,
    callsResumed: broken - 2 * trialCalls,
    opened: 0,
    lost: 0,
  });
  // Their time is all of it: what was asked to wait too.
  const { profiles, streams } = finished.report;
  for (const tool of ['close', 'cut'])
    expect(profiles.find(({ name }) => name === tool)?.latencyMs.min).toBeGreaterThanOrEqual(pollingRetryMs);
  expect(streamsOf(finished).profiles.map(({ name }) => name)).toEqual(['close', 'cut']);
  expect(streams?.summary.callsResumed).toBe(streams?.summary.callsBroken);
}, 90_000);
