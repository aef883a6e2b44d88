import { formatAs, formatBytes, formatMs, significant } from '../../analysis/format-metric.js';

const none = '–';
export const ms = (value: number | null): string => (value === null ? none : formatMs(value));
export const count = (value: number | null): string => (value === null ? none : Math.round(value).toLocaleString('en-US'));
export const rate = (value: number | null): string => (value === null ? none : formatAs('perSecond', value));
export const share = (value: number | null): string => (value === null ? none : formatAs('ratio', value));
export const bytes = (value: number | null): string => (value === null ? none : formatBytes(value));
export const plain = (value: number | null): string => (value === null ? none : significant(value));
export const cores = (value: number | null): string => (value === null ? none : value.toFixed(2));
export const spell = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 120) return `${significant(seconds)} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return [hours > 0 ? `${hours} h` : '', minutes > 0 ? `${minutes} min` : '', rest > 0 && hours === 0 ? `${rest} s` : ''].filter((part) => part !== '').join(' ');
};
