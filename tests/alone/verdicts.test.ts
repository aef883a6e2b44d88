import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fixedDelay, rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { run, simpleScenario } from '../support/swarmbench.js';

const steady = { clients: 2, arrivals: { rate: '20/s' } };

describe('verdicts and exit codes', () => {
  test('a run that keeps its thresholds passes: 0', async () => {
    const { url } = await startTestServer({ behaviour: rightly });
    const { code, report, folder } = await run({
      scenario: simpleScenario(steady, 3, { thresholds: ['errors.rate < 1%', 'latency.p95 < 1s', 'delivered > 90%'] }),
      target: url,
    });
    expect({ code, verdict: report.verdict }).toEqual({ code: 0, verdict: { kind: 'passed', reasons: [] } });
    for (const name of ['report.json', 'report.html', 'report.md', 'junit.xml', 'timeline.csv', 'latency.hgrm']) {
      expect({ name, written: existsSync(join(folder, name)) }).toEqual({ name, written: true });
    }
  });

  test('a broken threshold fails it: 99', async () => {
    const { url } = await startTestServer({ behaviour: fixedDelay(30) });
    const { code, report } = await run({
      scenario: simpleScenario(steady, 3, { thresholds: ['latency.p50 < 10ms', 'errors.rate < 1%'] }),
      target: url,
    });
    expect([code, report.verdict.kind]).toEqual([99, 'failed']);
    expect(report.thresholds.map(({ passed }) => passed)).toEqual([false, true]);
    expect(report.verdict.reasons.join()).toContain('latency.p50');
  });
});
