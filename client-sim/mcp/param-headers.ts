import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import type { HeaderPlan } from '../../scenarios/schema/plan.js';
import { type BodySegment, drawnSegment, fixedSegment } from './body-segment.js';
import type { Draw } from './draw.js';
import { isObject } from './json-value.js';

/** Headers that mirror arguments of a call (`Mcp-Param-*`, stateless era). */
export interface ParamHeaders {
  /** For constant arguments: the same in every request. */
  readonly fixed: readonly (readonly [name: string, value: string])[];
  /** For drawn arguments: written for every request, before its body. */
  readonly drawn: readonly DrawnHeader[];
}

export interface DrawnHeader {
  readonly name: string;
  /** Upper bound of the bytes that `write` writes. */
  readonly maxBytes: number;
  /** Writes the encoded value and returns where it ends. */
  write(into: Buffer, at: number, draw: Draw): number;
}

/** The time that a `now` in a header was given, so that the body, which is written later, has the same. */
export class HeldClock {
  private ms = Date.now();

  readonly take = (): number => (this.ms = Date.now());
  readonly held = (): number => this.ms;
}

/**
 * @param params of the whole request, from which its body is compiled: a drawn value is identified by its position
 * @param clocks is filled with the clock of each `now` in a header, by position
 * @returns undefined when there are no headers
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

/** The headers of one request as text, for requests that are not load. */
export function paramHeaderList({ fixed, drawn }: ParamHeaders, draw: Draw): ParamHeaders['fixed'] {
  return [
    ...fixed,
    ...drawn.map(({ name, maxBytes, write }) => {
      const bytes = Buffer.allocUnsafe(maxBytes);
      return [name, bytes.toString('latin1', 0, write(bytes, 0, draw))] as const;
    }),
  ];
}

/** The text of a value, without JSON quotes; undefined for null and for values that the schema does not allow. */
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

/** The template at a path, and the number of placeholders before it. */
function find(
  template: Template,
  path: readonly string[],
  before: number,
): { readonly template: Template; readonly before: number } | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return { template, before };
  let position = before;
  for (const [name, member] of entriesOf(template) ?? []) {
    if (name === key) return find(member, rest, position);
    position += placeholders(member);
  }
  return undefined;
}

export type TemplateEntry = readonly [name: string, value: Template];

/** The members of an object; undefined for anything else. */
export function entriesOf(template: Template): readonly TemplateEntry[] | undefined {
  if (template.kind === 'object') return template.entries;
  const value: unknown = template.kind === 'constant' ? JSON.parse(template.json) : undefined;
  if (!isObject(value)) return undefined;
  return Object.entries(value).map(([name, member]) => [name, { kind: 'constant', json: JSON.stringify(member) }]);
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
const EQUALS_SIGN = 0x3d;
const SPACE = 0x20;
const TILDE = 0x7e;

/**
 * A value for an `Mcp-*` header (2026-07-28, Streamable HTTP, "Value Encoding"): plain visible ASCII is sent unchanged,
 * anything else, and a value that looks encoded, as base64 of its UTF-8 between markers.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/i.test(value)) return value;
  return `${BEFORE}${Buffer.from(value, 'utf8').toString('base64')}${AFTER}`;
}

/** Encodes a value that is in a buffer as UTF-8. @returns where it ends then, at most `encodedBytes` after its start */
function encodeInPlace(into: Buffer, start: number, end: number): number {
  if (isPlainHeaderValue(into, start, end)) return end;
  const encoded = encodeHeaderValue(into.toString('utf8', start, end));
  return start + into.write(encoded, start, 'latin1');
}

/** Upper bound of the length of an encoded value. */
function encodedBytes(bytes: number): number {
  return BEFORE.length + 4 * Math.ceil(bytes / 3) + AFTER.length;
}

/** Whether the value is certainly sent unchanged; one that begins with `=` may look encoded. */
function isPlainHeaderValue(bytes: Buffer, start: number, end: number): boolean {
  if (start === end || bytes[start] === SPACE || bytes[end - 1] === SPACE || bytes[start] === EQUALS_SIGN) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < SPACE || byte > TILDE) return false;
  }
  return true;
}
