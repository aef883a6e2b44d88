import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import type { HeaderPlan } from '../../scenarios/schema/plan.js';
import { type BodySegment, drawnSegment, fixedSegment } from './body-segment.js';
import type { Draw } from './draw.js';

/** Headers that mirror arguments of a call (`Mcp-Param-*`, stateless era). */
export interface ParamHeaders {
  /** Of constant arguments: the same in every request. */
  readonly fixed: readonly (readonly [name: string, value: string])[];
  /** Of drawn ones: written for every request, before its body. */
  readonly drawn: readonly DrawnHeader[];
}

export interface DrawnHeader {
  readonly name: string;
  /** Upper bound of what `write` writes. */
  readonly maxBytes: number;
  /** Writes the encoded value and returns where it ends. */
  write(into: Buffer, at: number, draw: Draw): number;
}

/**
 * What a `now` in a header said, for the body to say the same: the two are read at different moments, and must agree.
 */
export class HeldClock {
  private ms = Date.now();

  readonly take = (): number => (this.ms = Date.now());
  readonly held = (): number => this.ms;
}

/**
 * @param params of the whole request, as its body is compiled from them: a drawn value is told by its position in it
 * @param clocks filled with those of each `now` that is in a header, by position
 * @returns undefined: no header comes of it
 */
export function compileParamHeaders(
  params: Template,
  plans: readonly HeaderPlan[],
  clocks: Map<number, HeldClock>,
): ParamHeaders | undefined {
  const fixed: [string, string][] = [];
  const drawn: DrawnHeader[] = [];
  for (const { name, path } of plans) {
    const found = find(params, ['arguments', ...path], 0);
    if (found === undefined) continue;
    const { template, before } = found;
    if (template.kind === 'constant') {
      const value = textOf(JSON.parse(template.json));
      if (value !== undefined) fixed.push([name, encodeHeaderValue(value)]);
    } else if (template.kind === 'number') drawn.push(drawnHeader(name, [template.draw], before, clocks));
    else if (template.kind === 'string') drawn.push(drawnHeader(name, template.parts, before, clocks));
  }
  return fixed.length + drawn.length === 0 ? undefined : { fixed, drawn };
}

/** Of one request, as text: for all that is not load. */
export function paramHeaderList({ fixed, drawn }: ParamHeaders, draw: Draw): ParamHeaders['fixed'] {
  return [
    ...fixed,
    ...drawn.map(({ name, maxBytes, write }) => {
      const bytes = Buffer.allocUnsafe(maxBytes);
      return [name, bytes.toString('latin1', 0, write(bytes, 0, draw))] as const;
    }),
  ];
}

/**
 * The value's own text, not as JSON has it; undefined where the rules know none (null, and what the schema did not
 * allow).
 */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || (Number.isInteger(value) && !Number.isSafeInteger(value))) return undefined;
  return String(value);
}

function drawnHeader(
  name: string,
  parts: readonly (string | Placeholder)[],
  before: number,
  clocks: Map<number, HeldClock>,
): DrawnHeader {
  let position = before;
  const segments = parts.map((part): BodySegment => {
    if (typeof part === 'string') return fixedSegment(part);
    position += 1;
    const clock = new HeldClock();
    if (part.name === 'now') clocks.set(position, clock);
    return drawnSegment(part, position, { quoted: false, now: clock.take });
  });
  return {
    name,
    maxBytes: encodedBytes(segments.reduce((sum, segment) => sum + segment.maxBytes, 0)),
    write(into, start, draw) {
      let at = start;
      for (let segment = 0; segment < segments.length; segment++)
        at = (segments[segment] as BodySegment).write(into, at, draw);
      return encodeInPlace(into, start, at);
    },
  };
}

/** What stands at a path, and how many placeholders stand before it. */
function find(
  template: Template,
  path: readonly string[],
  before: number,
): { readonly template: Template; readonly before: number } | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return { template, before };
  if (template.kind === 'constant') {
    const value: unknown = JSON.parse(template.json);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    return find({ kind: 'constant', json: JSON.stringify((value as Record<string, unknown>)[key]) }, rest, before);
  }
  if (template.kind !== 'object') return undefined;
  let count = before;
  for (const [name, member] of template.entries) {
    if (name === key) return find(member, rest, count);
    count += placeholders(member);
  }
  return undefined;
}

function placeholders(template: Template): number {
  switch (template.kind) {
    case 'constant':
      return 0;
    case 'number':
      return 1;
    case 'string':
      return template.parts.filter((part) => typeof part !== 'string').length;
    case 'array':
      return template.items.reduce((sum, item) => sum + placeholders(item), 0);
    case 'object':
      return template.entries.reduce((sum, [, value]) => sum + placeholders(value), 0);
  }
}

const BEFORE = '=?base64?';
const AFTER = '?=';
const BEFORE_BYTES = Buffer.from(BEFORE, 'latin1');
const AFTER_BYTES = Buffer.from(AFTER, 'latin1');
const SPACE = 0x20;
const TILDE = 0x7e;

/**
 * A value for an `Mcp-*` header (2026-07-28, Streamable HTTP, "Value Encoding"): as it is when it is plain visible
 * ASCII, else base64 of its UTF-8 between sentinels; also when it looks like a sentinel itself.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/i.test(value)) return value;
  return `${BEFORE}${Buffer.from(value, 'utf8').toString('base64')}${AFTER}`;
}

/**
 * The same for a value that lies in a buffer as UTF-8, in its place. @returns where it ends then, at most
 * `encodedBytes` after its start
 */
function encodeInPlace(into: Buffer, start: number, end: number): number {
  if (isPlain(into, start, end)) return end;
  const encoded = encodeHeaderValue(into.toString('utf8', start, end));
  return start + into.write(encoded, start, 'latin1');
}

/** Upper bound of the length of an encoded value. */
function encodedBytes(bytes: number): number {
  return BEFORE_BYTES.length + 4 * Math.ceil(bytes / 3) + AFTER_BYTES.length;
}

/** Certainly plain; what only may be a sentinel is looked at again. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  if (start === end || bytes[start] === SPACE || bytes[end - 1] === SPACE || bytes[start] === BEFORE_BYTES[0])
    return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < SPACE || byte > TILDE) return false;
  }
  return true;
}
