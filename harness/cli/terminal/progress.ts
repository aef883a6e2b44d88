/** The progress of a run as text: a block for a terminal, a line for a pipe. Pure. */
import type { LiveView } from '../../analysis/live-view.js';
import { count, duration, latency, rate } from './quantity.js';
import type { Style } from './style.js';

export interface Progress {
  readonly scenario: string;
  readonly totalMs: number;
  readonly stages: number;
  readonly phase:
    | { readonly kind: 'running'; readonly live: LiveView }
    /** Before and after the load. */
    | { readonly kind: 'idle'; readonly doing: string };
}

const BAR_COLUMNS = 24;
const NOTHING = '–';

export function progressBlock(progress: Progress, style: Style): readonly string[] {
  const { phase } = progress;
  const title = style.bold(progress.scenario);
  if (phase.kind !== 'running') return [`${title}  ${phase.doing} ...`];
  const { live } = phase;
  const stage = `${style.bold(live.stageName)} (stage ${live.stage + 1} of ${progress.stages})`;
  const errors = count(live.failedTotal);
  return [
    `${title}  ${bar(live.tMs / progress.totalMs, style)}  ${stage}  ${duration(live.remainingMs)} left`,
    `  clients   ${padded(count(live.clients))}  sessions  ${count(live.sessions)}`,
    `  offered   ${padded(rate(live.offeredPerSecond))}  delivered ${delivered(live, style)}`,
    `  p50       ${padded(latencyOf(live.p50Ms))}  p95 ${latencyOf(live.p95Ms)}  p99 ${latencyOf(live.p99Ms)}`,
    `  errors    ${live.failedTotal === 0 ? errors : style.red(errors)}${topErrors(live)}`,
  ];
}

export function progressLine(progress: Progress): string {
  const { phase } = progress;
  if (phase.kind !== 'running') return `${progress.scenario}: ${phase.doing}`;
  const { live } = phase;
  return [
    `${progress.scenario}: ${clock(live.tMs)} ${live.stageName}`,
    `clients ${count(live.clients)}`,
    `offered ${rate(live.offeredPerSecond)}`,
    `delivered ${rate(live.sentPerSecond)}`,
    `p95 ${latencyOf(live.p95Ms)}`,
    `errors ${count(live.failedTotal)}${topErrors(live)}`,
    `${duration(live.remainingMs)} left`,
  ].join(', ');
}

function bar(fraction: number, style: Style): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_COLUMNS);
  return style.cyan('█'.repeat(full)) + style.dim('░'.repeat(BAR_COLUMNS - full));
}

/** Highlighted when sending falls visibly behind what is due: the window is full, or the generator is at its limit. */
function delivered(live: LiveView, style: Style): string {
  const text = rate(live.sentPerSecond);
  return live.sentPerSecond < 0.95 * live.offeredPerSecond ? style.yellow(text) : text;
}

function topErrors(live: LiveView): string {
  const top = Object.entries(live.errors)
    .filter(([, times]) => times > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3);
  return top.length === 0 ? '' : ` (${top.map(([category, times]) => `${category} ${count(times)}`).join(', ')})`;
}

function latencyOf(ms: number | undefined): string {
  return ms === undefined ? NOTHING : latency(ms);
}

function padded(text: string): string {
  return text.padEnd(12);
}

function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
