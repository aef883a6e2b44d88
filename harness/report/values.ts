import { formatAs, formatBytes, formatMs, significant } from '../analysis/format.js';
import { isWide } from '../analysis/statistics/interval.js';

/** Where there was no data. */
const none = '–';

export function ms(value: number | null): string {
  return value === null ? none : formatMs(value);
}

/** What stands beside a time of which a large part may be the generator's own: its value without that. */
export function beside(value: number | null, floor: number | null | undefined): string {
  if (value === null || floor === null || floor === undefined || !isWide({ low: floor, high: value })) return '';
  return ` (${formatMs(floor)} without the generator)`;
}

export function count(value: number | null): string {
  return value === null ? none : Math.round(value).toLocaleString('en-US');
}

export function rate(value: number | null): string {
  return value === null ? none : formatAs('perSecond', value);
}

export function share(value: number | null): string {
  return value === null ? none : formatAs('ratio', value);
}

export function bytes(value: number | null): string {
  return value === null ? none : formatBytes(value);
}

export function plain(value: number | null): string {
  return value === null ? none : significant(value);
}

export function cores(value: number | null): string {
  return value === null ? none : value.toFixed(2);
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${significant(seconds)} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return [
    hours > 0 ? `${hours} h` : '',
    minutes > 0 ? `${minutes} min` : '',
    rest > 0 && hours === 0 ? `${rest} s` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
