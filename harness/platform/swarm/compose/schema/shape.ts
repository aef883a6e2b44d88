/**
 * A small language for what a compose file may hold: just what the CLI's JSON schemas (3.0 to 3.13) say, with versions
 * beside keys.
 */

export type Shape =
  | TextShape
  | { readonly kind: 'integer'; readonly min?: number }
  | { readonly kind: 'number'; readonly format?: 'port'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'flag' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'anything' }
  /** What is printed into text: labels, variables, options. Takes numbers, and no flags. */
  | { readonly kind: 'printable'; readonly nothing: boolean }
  | ListShape
  | RecordShape
  | TableShape
  | { readonly kind: 'either'; readonly of: readonly Shape[] };

export interface TextShape {
  readonly kind: 'text';
  readonly format?: 'duration' | 'port';
  /** In any case of letters. */
  readonly oneOf?: readonly string[];
  /** Of a duration, in nanoseconds; 0 means that it is not set. */
  readonly min?: number;
}

export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  readonly unique: boolean;
}

export interface RecordShape {
  readonly kind: 'record';
  readonly keys: Readonly<Record<string, Key>>;
  /** Keys that are not listed: an error; taken and ignored (a warning); or free. */
  readonly others: 'refused' | 'dropped' | 'free';
  /** Minor version from which `x-` keys are taken. */
  readonly extensionsSince?: number;
  readonly required?: readonly string[];
  readonly since?: number;
}

/** Names given by the user. */
export interface TableShape {
  readonly kind: 'table';
  readonly of: Shape;
  readonly names?: RegExp;
}

interface Key {
  readonly shape: Shape;
  /** Minor version of the format (3.x) that brought the key. */
  readonly since: number;
}

/** For limits of the engine, which the CLI leaves to it: refused before anything is made, and with a place. */
export const notNegative: TextShape = { kind: 'text', format: 'duration', min: 0 };

export const text: TextShape = { kind: 'text' };
export const duration: TextShape = { kind: 'text', format: 'duration' };
export const integer: Shape = { kind: 'integer' };
export const number: Shape = { kind: 'number' };
export const flag: Shape = { kind: 'flag' };
export const nothing: Shape = { kind: 'nothing' };

export function either(...of: readonly Shape[]): Shape {
  return { kind: 'either', of };
}

export function listOf(of: Shape, options: { readonly unique: boolean } = { unique: false }): ListShape {
  return { kind: 'list', of, unique: options.unique };
}

export function tableOf(of: Shape, names?: RegExp): TableShape {
  return names === undefined ? { kind: 'table', of } : { kind: 'table', of, names };
}

/** `since` of each key by the part of its name before `@`: `{ 'init@7': flag }` is a key of version 3.7. */
export function record(
  keys: Readonly<Record<string, Shape>>,
  options: Omit<RecordShape, 'kind' | 'keys' | 'others'> & { readonly others?: RecordShape['others'] } = {},
): RecordShape {
  const parsed = Object.entries(keys).map(([key, shape]): [string, Key] => {
    const [name = '', since = '0'] = key.split('@');
    return [name, { shape, since: Number(since) }];
  });
  return { kind: 'record', others: 'refused', ...options, keys: Object.fromEntries(parsed) };
}

export const names = /^[a-zA-Z0-9._-]+$/;
export const texts = listOf(text, { unique: true });
export const textOrTexts = either(text, texts);
export const command = either(text, listOf(text));
/** Variables and labels: `KEY: value` or `- KEY=value`. */
export const pairs = either(tableOf({ kind: 'printable', nothing: true }), texts);
export const options = tableOf({ kind: 'printable', nothing: false });
