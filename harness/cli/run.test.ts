import { describe, expect, test } from '@jest/globals';
import { testHost } from '../../tests/support/cli/test-host.js';
import type { RunEvent, RunEventBody } from '../log/events.js';
import { redactedCommand } from './command-line.js';
import { exitCode } from './exit-code.js';
import { watchInterrupts } from './interrupts.js';
import { worstExitCode } from './outcome.js';
import { noteOf, phaseOf } from './terminal/event-text.js';
import { createDisplay } from './terminal/run-display.js';
import { plain } from './terminal/style.js';

function event(body: RunEventBody): RunEvent {
  return { seq: 1, at: '2026-01-01T00:00:00.000Z', ...body };
}

describe('the command line in the report', () => {
  test.each([
    [['run', 'smoke', '--seed', '4'], 'swarmbench run smoke --seed 4'],
    [['run', '--header', 'Authorization: Bearer abc'], "swarmbench run --header 'Authorization: ***'"],
    [['run', '--header=X-Key: abc:def'], "swarmbench run '--header=X-Key: ***'"],
    [['run', '--set', 'target.headers.X-Key=abc'], 'swarmbench run --set target.headers.X-Key=***'],
    [['run', '--set=target.headers.X-Key=abc'], 'swarmbench run --set=target.headers.X-Key=***'],
    [['run', '--set', 'workload.normal.clients=5'], 'swarmbench run --set workload.normal.clients=5'],
    [
      ['run', '--target', 'http://user:secret@h:1/mcp?key=abc&b=c'],
      "swarmbench run --target 'http://***@h:1/mcp?key=***&b=***'",
    ],
    [['run', "it's"], "swarmbench run 'it'\\''s'"],
  ])('of %j is %s', (args, shown) => {
    expect(redactedCommand(args)).toBe(shown);
  });
});

describe('the worst exit code of several runs', () => {
  test.each([
    [[], 0],
    [[0, 0], 0],
    [[0, 99, 0], 99],
    [[99, 4], 4],
    [[4, 3, 99], 3],
    [[3, 1], 1],
    [[1, 130, 0], 130],
  ])('of %j is %i', (codes, worst) => {
    expect(worstExitCode(codes)).toBe(worst);
  });

  test('includes every code except usage, which ends the command before any run', () => {
    for (const code of Object.values(exitCode).filter((one) => one !== exitCode.usage))
      expect(worstExitCode([code])).toBe(code);
  });
});

describe('Ctrl-C', () => {
  test('stops gracefully at first, then now, and prints which', () => {
    const printed: string[] = [];
    const stops: string[] = [];
    const host = testHost([]);
    const interrupts = watchInterrupts(host, (line) => printed.push(line));
    interrupts.direct({ stop: (_reason, mode) => stops.push(mode) });
    host.interrupt();
    host.interrupt('SIGTERM');
    host.interrupt();
    expect(stops).toEqual(['drain', 'now', 'now']);
    expect(printed).toEqual([expect.stringMatching(/^SIGINT: stopping gracefully/), 'SIGTERM: stopping now']);
    expect(interrupts.count()).toBe(3);
    interrupts.end();
    host.interrupt();
    expect(interrupts.count()).toBe(3);
  });

  test('before a run starts stops it as soon as it does', () => {
    const stops: string[] = [];
    const host = testHost([]);
    const interrupts = watchInterrupts(host, () => undefined);
    host.interrupt();
    interrupts.direct({ stop: (_reason, mode) => stops.push(mode) });
    expect(stops).toEqual(['drain']);
  });
});

describe('the display of a run', () => {
  test('phases and notes of events', () => {
    expect(phaseOf(event({ type: 'run.draining' }))).toBe('waiting for the last answers');
    expect(phaseOf(event({ type: 'worker.recovered', workerId: 'w1' }))).toBeUndefined();
    expect(
      noteOf(event({ type: 'threshold.broken', check: 'latency.p95{stage="a"} < 200ms', actual: 312, abort: true })),
    ).toBe('threshold broken: latency.p95{stage="a"} < 200ms (was 312 ms); it ends the run');
    const exchange = {
      step: 'initialize',
      request: 'POST /mcp',
      response: '404\n\n<h1>nothing here</h1>',
      durationMs: 3,
      ok: false,
    };
    expect(noteOf(event({ type: 'preflight.failed', problem: 'HTTP 404', exchanges: [exchange] }))).toBe(
      'preflight failed at initialize; it sent\n    POST /mcp\nand got\n    404\n    \n    <h1>nothing here</h1>',
    );
    expect(
      noteOf(event({ type: 'stop.requested', reason: 'interrupt', mode: 'drain', detail: 'SIGINT' })),
    ).toBeUndefined();
    expect(
      noteOf(event({ type: 'stop.requested', reason: 'stop-rule', mode: 'drain', detail: 'errors.rate > 50% held' })),
    ).toBe('stopping: errors.rate > 50% held');
    expect(
      noteOf(event({ type: 'worker.lost', workerId: 'w2', lastHeardMs: 12_000, silentMs: 3500, policy: 'fail' })),
    ).toBe('worker w2 was lost after 3.5 s of silence (onWorkerLoss: fail)');
  });

  const displayed = { scenario: 'smoke', totalMs: 1000, stages: 1, live: () => undefined };

  test('is lines without escape sequences when piped', () => {
    const host = testHost([]);
    const display = createDisplay(host.stderr, plain, false, displayed);
    display.doing('preflight');
    display.note('worker w1 is lost');
    display.close();
    expect(host.err()).toBe('smoke: preflight\nworker w1 is lost\n');
  });

  test('is nothing when quiet', () => {
    const host = testHost([], { isTTY: true });
    const display = createDisplay(host.stderr, plain, true, displayed);
    display.doing('preflight');
    display.note('worker w1 is lost');
    display.close();
    expect(host.err()).toBe('');
  });

  test('is a block on a terminal, which disappears at the end', () => {
    const host = testHost([], { isTTY: true });
    const display = createDisplay(host.stderr, plain, false, displayed);
    display.doing('preflight');
    display.close();
    expect(host.err()).toContain('smoke  preflight ...');
    expect(host.err().endsWith('\x1b[J\x1b[?25h')).toBe(true);
  });
});
