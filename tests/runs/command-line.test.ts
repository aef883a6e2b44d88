/** What `swarmbench run` refuses, what an interrupt leaves, and a report that is rendered again. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startTestServer } from '../servers/test-server.js';
import { isAlive } from '../support/program.js';
import { eventsOf, readRun, runFolder } from '../support/run-files.js';
import { simpleScenario, startRun, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

const quick = simpleScenario({ clients: 2, arrivals: { rate: '20/s' } }, 2, { thresholds: ['errors.rate < 1%'] });

describe('a run from the command line', () => {
  test('refuses all of them before the first runs when one is wrong', async () => {
    const results = join(tempFolder(), 'results');
    const { code } = await swarmbench([
      'run',
      writeScenario(quick),
      writeScenario({ ...quick, name: 'wrong', nosuch: 1 }),
      '--out',
      results,
    ]);
    expect({ code, started: existsSync(results) }).toEqual({ code: 2, started: false });
  });

  test.each([
    [['--on', 'nowhere'], 2, /nowhere[^]*local, swarm/],
    [['--junit', 'no-such-folder/x.xml'], 2, /--junit: cannot write .*no-such-folder[^]*code: USAGE/],
    [['--junit', '/dev/null/x.xml'], 2, /--junit: cannot write .*[^]*code: USAGE/],
    [['--junit', '/tmp'], 2, /--junit: cannot write \/tmp: it is a folder/],
    [['--out', '/dev/null/results'], 2, /cannot write results to \/dev\/null\/results[^]*RESULTS_NOT_WRITABLE/],
  ])('run %j exits %i in words', async (args, expected, words) => {
    const { code, stderr } = await swarmbench(['run', ...args]);
    expect(stderr).toMatch(words);
    expect(code).toBe(expected);
  });

  test('a second Ctrl-C stops now, still with a report, and nothing is left', async () => {
    const { url, log } = await startTestServer({ behaviour: () => undefined });
    const { program, results } = startRun({
      scenario: simpleScenario({ thinkTime: '0ms', timeout: '60s' }, 60, { drain: '60s' }),
      target: url,
    });
    await until('a call', () => log.calls.length > 0);
    program.kill('SIGINT');
    await program.wrote(/repeat it to stop now/);
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    const { report, events } = readRun(results);
    expect(report.verdict.kind).toBe('incomplete');
    expect(eventsOf(events, 'program.started').filter(({ program: { pid } }) => isAlive(pid))).toEqual([]);
  });
});

describe('a report rendered again', () => {
  test('from the log alone is the same, to the byte', async () => {
    const results = join(tempFolder(), 'results');
    await swarmbench(['run', writeScenario(quick), '--out', results, '--quiet']);
    const file = join(runFolder(results), 'report.json');
    const before = readFileSync(file, 'utf8');
    const { code, stdout } = await swarmbench(['report', '--out', results, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(before));
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('calibrate', () => {
  test('states the ceiling and keeps it where reports look for it', async () => {
    const results = join(tempFolder(), 'results');
    const { code, stdout } = await swarmbench([
      'calibrate',
      'low-load',
      '--seconds',
      '2',
      '--out',
      results,
      '--json',
      '--quiet',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      profiles: [{ profile: 'low-load', ceilingPerSecond: expect.any(Number) }],
    });
    expect(JSON.parse(readFileSync(join(results, 'calibration.json'), 'utf8'))).toMatchObject({
      schemaVersion: 1,
      workers: 1,
      profiles: [{ profile: 'low-load' }],
    });
  });
});
