import type { HeaderPlan } from '../../scenarios/schema/plan.js';
import type { Placeholder, Template } from '../../scenarios/schema/template.js';
import type { Draw } from './draw.js';
import { encodedBytes, encodeHeaderValue, encodeInPlace } from './header-value.js';
import { drawnPiece, fixedPiece, type Piece } from './piece.js';

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
  const pieces = parts.map((part): Piece => {
    if (typeof part === 'string') return fixedPiece(part);
    position += 1;
    const clock = new HeldClock();
    if (part.name === 'now') clocks.set(position, clock);
    return drawnPiece(part, position, { quoted: false, now: clock.take });
  });
  return {
    name,
    maxBytes: encodedBytes(pieces.reduce((sum, piece) => sum + piece.maxBytes, 0)),
    write(into, start, draw) {
      let at = start;
      for (let piece = 0; piece < pieces.length; piece++) at = (pieces[piece] as Piece).write(into, at, draw);
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
