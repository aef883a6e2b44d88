/** Numbers for people, always with their unit and written as in reports. */
import { formatAs, formatBytes, formatMs, whole } from '../../analysis/format.js';

export { formatBytes as bytes, formatMs as latency, whole as count };

export function rate(perSecond: number): string {
  return formatAs('perSecond', perSecond);
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${ms < 10_000 && ms % 1000 !== 0 ? (ms / 1000).toFixed(1) : seconds} s`;
  if (seconds < 3600) return joined(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  return joined(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** A small share that is not zero is not shown as zero. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value !== 0 && Math.abs(value) < 0.01 ? '< 0.01' : Number(value.toFixed(2))} %`;
}
