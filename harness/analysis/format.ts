import { distributions, scalars } from '../../scenarios/schema/grammar/metrics.js';
import type { Check } from '../../scenarios/schema/plan.js';

type ValueUnit = 'ms' | 'ratio' | 'perSecond' | 'count' | 'cores' | 'bytes';

/** What a metric's values are in; a metric that scenarios do not know is a plain count. */
export function unitOf(metric: string): ValueUnit {
  const unit = (scalars[metric] ?? distributions[metric.slice(0, metric.lastIndexOf('.'))])?.unit ?? 'count';
  return unit === 'time' ? 'ms' : unit;
}

/** A value as people read it: `148 ms`, `0.42 %`, `1,234/s`, `64 MiB`. */
export function formatMetric(check: Pick<Check, 'metric'>, value: number): string {
  return formatAs(unitOf(check.metric), value);
}

export function formatAs(unit: ValueUnit, value: number): string {
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
  return ms >= 60_000
    ? `${significant(ms / 60_000)} min`
    : ms >= 1000
      ? `${significant(ms / 1000)} s`
      : `${significant(ms)} ms`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  const power = size < 1024 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(size) / 10));
  return `${significant(bytes / 1024 ** power)} ${byteUnits[power] ?? 'B'}`;
}

/** Three digits that mean something, more only before the point. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 || value === 0 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: Number.isInteger(value) ? 0 : digits });
}

/** Numbers as reasons say them. */

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
