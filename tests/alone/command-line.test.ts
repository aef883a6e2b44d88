/** Whole runs as a user starts them: what is written where, what a script can rely on, and what is left behind. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../harness/log/events.js';
import { isAlive, startProgram } from '../support/program.js';
import { readEvents, readRun, runFolder } from '../support/run-files.js';
import { simpleScenario, startRun, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

const quick = simpleScenario({ clients: 2, arrivals: { rate: '20/s' } }, 2, { thresholds: ['errors.rate < 1%'] });

function programsOf(events: readonly RunEvent[]) {
  return events.flatMap((event) => (event.type === 'program.started' ? [event.program] : []));
}

describe('a run from the command line', () => {
  test('prints plan and progress on stderr, results and verdict on stdout, and leaves no program behind', async () => {
    const results = join(tempFolder(), 'results');
    const { code, stdout, stderr } = await swarmbench([
      'run',
      writeScenario(quick),
      '--out',
      results,
      '--workers',
      '2',
      '--label',
      'branch=main',
    ]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/requests +about 80[^]*test: preflight[^]*answers, (modern|legacy) era/),
    });
    expect(stdout).toMatch(/requests +80 sent of 80 due, 80 succeeded, 0 failed/);
    expect(stdout).toMatch(/pass +errors\.rate < 1% +0 %/);
    expect(stdout).toMatch(/^test: passed$/m);
    expect(existsSync(/^report: (.*)$/m.exec(stdout)?.[1] ?? '')).toBe(true);
    expect(stdout + stderr).not.toContain('\x1b');

    const { events, folder } = readRun(results);
    const programs = programsOf(events);
    expect(programs.map(({ role }) => role).toSorted()).toEqual(['target', 'worker', 'worker']);
    expect(programs.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(readdirSync(join(folder, 'logs')).toSorted()).toEqual(['reference-1.log', 'worker-1.log', 'worker-2.log']);
    expect(readRun(results).report).toMatchObject({ run: { labels: { branch: 'main' } } });
  });

  test('with --json and --quiet writes one object and nothing else, and copies the JUnit report', async () => {
    const folder = tempFolder();
    const junit = join(folder, 'junit.xml');
    const { code, stdout, stderr } = await swarmbench(
      ['run', writeScenario(quick), '--out', join(folder, 'results'), '--json', '--quiet', '--junit', junit],
      { FORCE_COLOR: '1', NO_COLOR: '' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const outcome = JSON.parse(stdout) as { files: Record<string, string> };
    expect(outcome).toMatchObject({
      exitCode: 0,
      scenario: 'test',
      verdict: { kind: 'passed' },
      failure: null,
      summary: { succeeded: 80 },
      thresholds: [{ passed: true }],
    });
    for (const file of Object.values(outcome.files))
      expect({ file, written: existsSync(file) }).toEqual({ file, written: true });
    expect(readFileSync(junit, 'utf8')).toContain('<testsuite name="test"');
  });

  test('of several scenarios runs one after the other, and the worst exit code counts', async () => {
    const results = join(tempFolder(), 'results');
    const broken = { ...quick, name: 'broken', thresholds: ['latency.p50 < 1us'] };
    const { code, stdout } = await swarmbench([
      'run',
      writeScenario(broken),
      writeScenario(quick),
      '--out',
      results,
      '--json',
      '--quiet',
    ]);
    expect(code).toBe(99);
    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 99,
      runs: [
        { scenario: 'broken', exitCode: 99 },
        { scenario: 'test', exitCode: 0 },
      ],
    });
  });
});

describe('serve', () => {
  test('finishes a run whose `swarmbench run` was killed, wherever that one listened', async () => {
    const { program, results } = startRun({ scenario: simpleScenario({ clients: 2, arrivals: { rate: '20/s' } }, 6) });
    await program.wrote(/starting the load/);
    await until('the load', () => readEvents(runFolder(results)).some(({ type }) => type === 'stage.started'));
    program.kill('SIGKILL');
    await program.ended;
    const server = startProgram('harness/cli/main.js', ['serve', '--port', '0', '--out', results]);
    await server.wrote(/resumed .*test/);
    await server.wrote(/finished .*test.*: passed/);
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    const { report, events } = readRun(results);
    expect(report.summary).toMatchObject({ offered: 240, succeeded: 240 });
    expect(programsOf(events).filter(({ pid }) => isAlive(pid))).toEqual([]);
  });
});
