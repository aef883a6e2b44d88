/** Shows a run while it runs: a block that is redrawn on a terminal, a line every few seconds elsewhere. */
import type { LiveView } from '../../analysis/live-view.js';
import type { RunEvent } from '../../log/events.js';
import type { Output } from '../host.js';
import { noteOf, phaseOf } from './event-text.js';
import { type Progress, progressBlock, progressLine } from './progress.js';
import { createScreen } from './screen.js';
import type { Style } from './style.js';

export interface Display {
  /** Shows an activity, except during the load. */
  doing(activity: string): void;
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
    doing(activity) {
      progress.doing(activity);
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
  const print = (): void => output.write(`${progressLine(progress.now())}\n`);
  const timer = setInterval(() => {
    if (progress.now().phase.kind === 'running') print();
  }, LINE_MS);
  return {
    doing(activity) {
      progress.doing(activity);
      if (progress.now().phase.kind !== 'running') print();
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
    doing(activity) {
      doing = activity;
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
