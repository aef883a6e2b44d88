import type { Placeholder, Template } from '../../scenarios/schema/template.js';

/** Numbers and texts that are valid for a JSON Schema, and what the maker of whole arguments shares with them. */
export type Schema = Readonly<Record<string, unknown>>;

/** No value can be made for certain; the message says where and why. */
export class Unmakeable extends Error {}

const TEXT_LENGTH = 12;
const INT_SPAN = 100;
/** The largest number that every JSON reader takes as it is. */
const MAX_INT = Number.MAX_SAFE_INTEGER;

export function number(schema: Schema, at: string, whole: boolean): Template {
  const above = finite(schema.exclusiveMinimum);
  const below = finite(schema.exclusiveMaximum);
  const lowest = Math.max(finite(schema.minimum) ?? -Infinity, above ?? -Infinity);
  const highest = Math.min(finite(schema.maximum) ?? Infinity, below ?? Infinity);
  const step = finite(schema.multipleOf);
  if (step !== undefined) {
    const from = Number.isFinite(lowest) ? lowest : Math.min(0, highest);
    for (const multiple of [0, 1, 2].map((more) => (Math.ceil(from / step) + more) * step)) {
      if (
        multiple >= lowest &&
        multiple <= highest &&
        multiple !== above &&
        multiple !== below &&
        (!whole || Number.isInteger(multiple))
      )
        return constant(multiple);
    }
    throw new Unmakeable(`${at}: no multiple of ${step} was found in its range`);
  }
  const min = Number.isFinite(lowest)
    ? Math.ceil(lowest) + (above !== undefined && above === Math.ceil(lowest) ? 1 : 0)
    : Math.min(1, Math.floor(highest) - INT_SPAN);
  const top = Number.isFinite(highest)
    ? Math.floor(highest) - (below !== undefined && below === Math.floor(highest) ? 1 : 0)
    : Infinity;
  const max = Math.min(top, min + INT_SPAN, MAX_INT);
  if (min <= max && min >= -MAX_INT) return { kind: 'number', draw: { name: 'int', min, max } };
  const middle = (lowest + highest) / 2;
  if (!whole && middle >= lowest && middle <= highest && middle !== above && middle !== below) return constant(middle);
  throw new Unmakeable(`${at}: its range holds no ${whole ? 'whole number' : 'number'}`);
}

/** Text of each format that is valid whatever is drawn. */
const FORMATS: Readonly<Record<string, readonly (string | Placeholder)[]>> = {
  uuid: [{ name: 'uuid' }],
  'date-time': ['2026-01-01T00:00:00Z'],
  date: ['2026-01-01'],
  time: ['00:00:00Z'],
  duration: ['PT1S'],
  email: [{ name: 'int', min: 1_000, max: 9_999 }, '@example.com'],
  'idn-email': [{ name: 'int', min: 1_000, max: 9_999 }, '@example.com'],
  hostname: ['example.com'],
  'idn-hostname': ['example.com'],
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
  uri: ['https://example.com/', { name: 'int', min: 1_000, max: 9_999 }],
  'uri-reference': ['/', { name: 'int', min: 1_000, max: 9_999 }],
  iri: ['https://example.com/', { name: 'int', min: 1_000, max: 9_999 }],
  'json-pointer': ['/a'],
  regex: ['a'],
};

export function string(schema: Schema, at: string): Template {
  const { pattern, format } = schema;
  if (typeof pattern === 'string')
    throw new Unmakeable(`${at} has the pattern ${pattern} and neither default nor example`);
  const min = count(schema.minLength, 0);
  const max = count(schema.maxLength, Infinity);
  if (max < min) throw new Unmakeable(`${at}: minLength is more than maxLength`);
  if (typeof format !== 'string') return text(Math.min(max, Math.max(min, TEXT_LENGTH)));
  const parts = FORMATS[format];
  if (parts === undefined) throw new Unmakeable(`${at} has the format ${format}, which is not known here`);
  const length = parts.reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.length : part.name === 'int' ? 4 : 36),
    0,
  );
  if (length < min || length > max) throw new Unmakeable(`${at}: no ${format} of that length is made up`);
  return { kind: 'string', parts };
}

export function text(length = TEXT_LENGTH): Template {
  return length === 0 ? constant('') : { kind: 'string', parts: [{ name: 'text', length }] };
}

export function constant(value: unknown): Template {
  return { kind: 'constant', json: JSON.stringify(value) };
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}
