import { describe, expect, test } from '@jest/globals';

import type { LiveView } from '../../analysis/live-view.js';
import type { Output } from '../host.js';
import { type Progress, progressBlock, progressLine } from './progress.js';
import { bytes, count, duration, latency, percent, rate } from './quantity.js';
import { forTerminal } from './safe-text.js';
import { createScreen } from './screen.js';
import { fitTo, plain, styleFor, visibleLength } from './style.js';
import { table } from './table.js';

const live: LiveView = {
  tMs: 12_000,
  stage: 1,
  stageName: 'peak',
  clients: 50,
  sessions: 48,
  offeredPerSecond: 5000,
  sentPerSecond: 4990,
  succeededPerSecond: 4980,
  failedTotal: 12,
  errors: { timeout: 2, http_500: 10, connect: 0 },
  p50Ms: 1.234,
  p95Ms: 23.46,
  p99Ms: 1234,
  remainingMs: 68_000,
};
const running: Progress = { scenario: 'spike', totalMs: 80_000, stages: 3, phase: { kind: 'running', live } };

/** A terminal that carries out the escape sequences of what is written to it. */
function emulator(columns: number) {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  let cursor = true;
  const put = (char: string): void => {
    if (column === columns) newLine();
    rows[row] = (rows[row] ?? '').padEnd(column).slice(0, column) + char + (rows[row] ?? '').slice(column + 1);
    column += 1;
  };
  const type = (char: string): void => {
    if (char === '\n') newLine();
    else if (char === '\r') column = 0;
    else put(char);
  };
  const newLine = (): void => {
    row += 1;
    column = 0;
    rows[row] ??= '';
  };
  const act = (sequence: string): void => {
    if (sequence === '\x1b[?25l') cursor = false;
    else if (sequence === '\x1b[?25h') cursor = true;
    else if (sequence === '\x1b[K') rows[row] = (rows[row] ?? '').slice(0, column);
    else if (sequence === '\x1b[J') rows.splice(row, Infinity, (rows[row] ?? '').slice(0, column));
    else if (sequence.endsWith('F')) {
      row -= Number(sequence.slice(2, -1));
      column = 0;
    }
  };
  const output: Output = {
    isTTY: true,
    columns: () => columns,
    write(text) {
      for (const piece of forTerminal(text).split(/(\x1b\[[?0-9;]*[A-Za-z])/)) {
        if (piece.startsWith('\x1b')) act(piece);
        else for (const char of piece) type(char);
      }
    },
  };
  return { output, shown: () => rows.join('\n').trimEnd().split('\n'), cursor: () => cursor };
}

describe('the progress block', () => {
  test('names stage, clients, rates offered and delivered, percentiles, errors and the time left', () => {
    expect(progressBlock(running, plain)).toEqual([
      'spike  ████░░░░░░░░░░░░░░░░░░░░  peak (stage 2 of 3)  1 min 8 s left',
      '  clients   50            sessions  48',
      '  offered   5,000/s       delivered 4,990/s',
      '  p50       1.23 ms       p95 23.5 ms  p99 1.23 s',
      '  errors    12 (http_500 10, timeout 2)',
    ]);
  });

  test('is one plain line when piped', () => {
    expect(progressLine(running)).toBe(
      'spike: 00:12 peak, clients 50, offered 5,000/s, delivered 4,990/s, p95 23.5 ms, ' +
        'errors 12 (http_500 10, timeout 2), 1 min 8 s left',
    );
    expect(progressLine({ ...running, phase: { kind: 'idle', doing: 'preflight' } })).toBe('spike: preflight');
  });

  test('shows a dash, not a zero, for a percentile of nothing', () => {
    const silent = { ...live, p50Ms: undefined, p95Ms: undefined, p99Ms: undefined };
    expect(progressLine({ ...running, phase: { kind: 'running', live: silent } })).toContain('p95 –');
  });
});

describe('the screen', () => {
  test('redraws its block in place, keeps lines above it, and leaves only those', () => {
    const terminal = emulator(40);
    const screen = createScreen(terminal.output);
    screen.block(['one', 'two', 'three']);
    screen.log('a worker was lost');
    screen.block(['uno', 'dos']);
    expect(terminal.shown()).toEqual(['a worker was lost', 'uno', 'dos']);
    expect(terminal.cursor()).toBe(false);
    screen.log('another line');
    screen.close();
    expect(terminal.shown()).toEqual(['a worker was lost', 'another line']);
    expect(terminal.cursor()).toBe(true);
  });

  test.each([20, 40, 60, 200])('never wraps a line of the block in %i columns', (columns) => {
    const terminal = emulator(columns);
    const screen = createScreen(terminal.output);
    for (let redraw = 0; redraw < 3; redraw += 1) screen.block(progressBlock(running, styleFor(terminal.output, {})));
    expect(terminal.shown()).toHaveLength(5);
  });

  test('a screen that never drew writes nothing when closed', () => {
    const written: string[] = [];
    createScreen({ isTTY: true, columns: () => 80, write: (text) => written.push(text) }).close();
    expect(written).toEqual([]);
  });
});

describe('style', () => {
  const tty: Output = { isTTY: true, columns: () => 80, write: () => undefined };
  test.each([
    ['a terminal', tty, {}, true, true],
    ['a pipe', { ...tty, isTTY: false }, {}, true, false],
    ['NO_COLOR', tty, { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR, which counts as unset', tty, { NO_COLOR: '' }, true, true],
    ['--no-color', tty, { FORCE_COLOR: '1' }, false, false],
    ['FORCE_COLOR on a pipe', { ...tty, isTTY: false }, { FORCE_COLOR: '1' }, true, true],
    ['NO_COLOR over FORCE_COLOR', tty, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
    ['a dumb terminal', tty, { TERM: 'dumb' }, true, false],
  ])('%s', (_name, output, env, wanted, colours) => {
    expect(styleFor(output, env, wanted).red('x') !== 'x').toBe(colours);
  });

  test('a line is cut to its visible width, and colours are closed', () => {
    const { red } = styleFor(tty, {});
    expect(visibleLength(fitTo(5, red('abcdefgh')))).toBe(5);
    expect(forTerminal(fitTo(5, red('abcdefgh')))).toBe(`\x1b[31mabcd\x1b[39m…`);
    expect(fitTo(5, 'abcde')).toBe('abcde');
  });

  test('tables align by visible width', () => {
    expect(
      table(
        [
          ['a', '10', 'x'],
          ['long', '9', ''],
        ],
        [1],
      ),
    ).toEqual(['a     10  x', 'long   9']);
  });
});

describe('quantities', () => {
  test.each([
    [duration(0), '0 ms'],
    [duration(250), '250 ms'],
    [duration(1500), '1.5 s'],
    [duration(20_000), '20 s'],
    [duration(60_000), '1 min'],
    [duration(90_000), '1 min 30 s'],
    [duration(3_600_000), '1 h'],
    [duration(9_000_000), '2 h 30 min'],
    [latency(0.1234), '0.123 ms'],
    [latency(4.5678), '4.57 ms'],
    [latency(789.4), '789 ms'],
    [latency(1234), '1.23 s'],
    [rate(0), '0/s'],
    [rate(9.876), '9.88/s'],
    [rate(200_000), '200,000/s'],
    [count(1234567), '1,234,567'],
    [percent(0), '0 %'],
    [percent(0.00001), '< 0.01 %'],
    [percent(0.5), '50 %'],
    [bytes(0), '0 B'],
    [bytes(1536), '1.5 KiB'],
    [bytes(5 * 1024 ** 3), '5 GiB'],
  ])('%s', (written, expected) => {
    expect(written).toBe(expected);
  });
});
