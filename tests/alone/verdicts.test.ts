import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { fixedDelay, rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { eventsOf, readEvents, readRun, runFolder } from '../support/run-files.js';
import { run, simpleScenario, startRun } from '../support/swarmbench.js';
import { until } from '../support/until.js';

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

  test('a generator that is held up: 4, saying which worker and what to do', async () => {
    const { url, log } = await startTestServer({ behaviour: rightly });
    const { program, results } = startRun({
      scenario: simpleScenario({ arrivals: { rate: '100/s' }, maxInFlight: 100 }, 4),
      target: url,
    });
    await until('the first calls', () => log.calls.length > 0);
    const [worker] = eventsOf(readEvents(runFolder(results)), 'worker.registered');
    if (worker === undefined) throw new Error('no worker registered');
    // Stopped for a quarter of each half second, as on a machine that has better things to do.
    for (let round = 0; round < 7; round += 1) {
      process.kill(worker.worker.pid, 'SIGSTOP');
      await pause(150);
      process.kill(worker.worker.pid, 'SIGCONT');
      await pause(350);
    }
    expect(await program.ended).toBe(4);
    const { report } = readRun(results);
    expect(report.verdict.kind).toBe('invalid');
    expect(report.verdict.reasons.join()).toMatch(
      /more than half of the latency is the generator's own: .*Worker \S+ was stopped for .* froze the process/,
    );
  });
});
