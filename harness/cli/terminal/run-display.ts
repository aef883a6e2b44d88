/** Shows a run while it runs: a redrawn block on a terminal, a line every few seconds elsewhere, nothing when quiet. */
import type { LiveView } from '../../analysis/live-view.js';
import type { RunEvent } from '../../log/events.js';
import type { Output } from '../host.js';
import { noteOf, phaseOf } from './event-text.js';
import { type Progress, progressBlock, progressLine } from './progress.js';
import { createScreen } from './screen.js';
import type { Style } from './style.js';

export interface Display {
  /** Shown until the load is on, and again after it. */
  doing(what: string): void;
  /** A line that stays. */
  note(line: string): void;
  close(): void;
}

interface RunProgressSource {
  readonly scenario: string;
  readonly totalMs: number;
  readonly stages: number;
  /** Undefined before and after the load. */
  readonly live: () => LiveView | undefined;
}

const REDRAW_MS = 200;
const LINE_MS = 5_000;

export function createDisplay(output: Output, style: Style, quiet: boolean, source: RunProgressSource): Display {
  if (quiet) return { doing: () => undefined, note: () => undefined, close: () => undefined };
  return output.isTTY ? onTerminal(output, style, source) : inLines(output, source);
}

export function showEvent(event: RunEvent, display: Display): void {
  const phase = phaseOf(event);
  if (phase !== undefined) display.doing(phase);
  const note = noteOf(event);
  if (note !== undefined) display.note(note);
}

function onTerminal(output: Output, style: Style, source: RunProgressSource): Display {
  const screen = createScreen(output);
  const progress = follow(source);
  const draw = (): void => screen.block(progressBlock(progress.now(), style));
  const timer = setInterval(draw, REDRAW_MS);
  return {
    doing(what) {
      progress.doing(what);
      draw();
    },
    note: (line) => screen.log(line),
    close() {
      clearInterval(timer);
      screen.close();
    },
  };
}

function inLines(output: Output, source: RunProgressSource): Display {
  const progress = follow(source);
  const say = (): void => output.write(`${progressLine(progress.now())}\n`);
  const timer = setInterval(() => {
    if (progress.now().phase.kind === 'running') say();
  }, LINE_MS);
  return {
    doing(what) {
      progress.doing(what);
      if (progress.now().phase.kind !== 'running') say();
    },
    note: (line) => output.write(`${line}\n`),
    close: () => clearInterval(timer),
  };
}

function follow({ scenario, totalMs, stages, live }: RunProgressSource): {
  doing(what: string): void;
  now(): Progress;
} {
  let doing = 'starting';
  return {
    doing(what) {
      doing = what;
    },
    now() {
      const view = live();
      return {
        scenario,
        totalMs,
        stages,
        phase: view === undefined ? { kind: 'idle', doing } : { kind: 'running', live: view },
      };
    },
  };
}
