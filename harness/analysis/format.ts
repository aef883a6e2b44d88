import { distributions, scalars } from '../../scenarios/schema/grammar/metrics.js';
import type { Check } from '../../scenarios/schema/plan.js';

type Unit = 'ms' | 'ratio' | 'perSecond' | 'count' | 'cores' | 'bytes';

/** The unit of a metric's values; a metric that scenarios do not know is a plain count. */
export function unitOf(metric: string): Unit {
  const unit = (scalars[metric] ?? distributions[metric.slice(0, metric.lastIndexOf('.'))])?.unit ?? 'count';
  return unit === 'time' ? 'ms' : unit;
}

/** A value for people to read: `148 ms`, `0.42 %`, `1,234/s`, `64 MiB`. */
export function formatMetric(check: Pick<Check, 'metric'>, value: number): string {
  return formatAs(unitOf(check.metric), value);
}

export function formatAs(unit: Unit, value: number): string {
  switch (unit) {
    case 'ms':
      return formatMs(value);
    case 'ratio':
      return `${significant(value * 100)} %`;
    case 'perSecond':
      return `${significant(value)}/s`;
    case 'count':
      return significant(value);
    case 'cores':
      return `${value.toFixed(2)} cores`;
    case 'bytes':
      return formatBytes(value);
  }
}

export function formatMs(ms: number): string {
  if (ms >= 60_000) return `${significant(ms / 60_000)} min`;
  return ms >= 1000 ? `${significant(ms / 1000)} s` : `${significant(ms)} ms`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  const power = size < 1024 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(size) / 10));
  return `${significant(bytes / 1024 ** power)} ${byteUnits[power] ?? 'B'}`;
}

/** Three significant digits, and all digits before the point. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value.toLocaleString('en-US', { maximumFractionDigits: Number.isInteger(value) ? 0 : decimals(value) });
}

function decimals(value: number): number {
  const size = Math.abs(value);
  if (size >= 100) return 0;
  if (size >= 10) return 1;
  return size >= 1 ? 2 : 3;
}

/** A ratio in a sentence: whole percents, one decimal below 10 %. `formatAs('ratio')` is more exact, for tables. */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s`;
}

export function whole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

export function listed(items: readonly string[]): string {
  return items.length <= 1 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
