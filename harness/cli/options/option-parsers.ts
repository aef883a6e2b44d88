/** Parsers of option values. Each throws what Commander shows as `option '--x' argument 'y' is invalid`. */
import { InvalidArgumentError } from 'commander';
import type { ArmOption } from '../../../scenarios/schema/resolve/arms.js';

/** For options that may be repeated. */
export function collectValues(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** For options such as `--label key=value`, which may be repeated. */
export function collectPairs(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it as key=value.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** For `--arm name=url`, which may be repeated. */
export function collectArms(text: string, before: readonly ArmOption[]): readonly ArmOption[] {
  const equals = text.indexOf('=');
  if (equals < 1 || equals === text.length - 1) throw new InvalidArgumentError('Write it as name=url.');
  return [...before, { name: text.slice(0, equals), url: text.slice(equals + 1) }];
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
  return value;
}

export function parseWholeNumber(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Not a whole number above 0.');
  return value;
}

export function parseSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Not a number of seconds above 0.');
  return value;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `5m` is the Unix time of five minutes ago. */
export function parseTimeAgo(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const unitSeconds = UNIT_SECONDS[unit];
  if (count === undefined || unitSeconds === undefined)
    throw new InvalidArgumentError('Not a time like 30s, 5m or 2h.');
  return Math.floor(Date.now() / 1000) - Number(count) * unitSeconds;
}
