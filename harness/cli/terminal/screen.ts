/**
 * A block of lines at the bottom of the terminal that is redrawn in place, and lines that scroll above it. Each change
 * is one write, so that the two do not mix.
 */
import type { Output } from '../host.js';
import { ESC, withoutControls } from './safe-text.js';
import { fitTo, visibleLength } from './style.js';

interface Screen {
  /** Replaces the block. */
  block(lines: readonly string[]): void;
  /** Writes a line above the block that stays. */
  log(line: string): void;
  /** Removes the block and shows the cursor again. */
  close(): void;
}

const HIDE_CURSOR = `${ESC}[?25l`;
const SHOW_CURSOR = `${ESC}[?25h`;
const CLEAR_BELOW = `${ESC}[J`;
const CLEAR_LINE = `${ESC}[K`;

export function createScreen(output: Output): Screen {
  let drawn: readonly string[] = [];
  let hidden = false;

  const toTop = (): string => {
    const rows = drawn.reduce((sum, line) => sum + rowsOf(line, output.columns()), 0);
    return rows === 0 ? '' : `${ESC}[${rows}F`;
  };
  const draw = (above: string, lines: readonly string[]): void => {
    // One column stays free: some terminals wrap a line that fills the last one.
    const fitted = lines.map((line) => fitTo(output.columns() - 1, withoutControls(line)));
    const hide = hidden || fitted.length === 0 ? '' : HIDE_CURSOR;
    hidden ||= fitted.length > 0;
    output.write(`${hide}${toTop()}${above}${fitted.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
    drawn = fitted;
  };

  return {
    block: (lines) => draw('', lines),
    log: (line) => draw(`${line}${CLEAR_LINE}\n`, drawn),
    close() {
      if (!hidden) return;
      draw('', []);
      output.write(SHOW_CURSOR);
      hidden = false;
    },
  };
}

/** Rows that a line takes now: the terminal may be narrower than when it was drawn. */
function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(visibleLength(line) / Math.max(1, columns)));
}
