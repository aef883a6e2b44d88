/** `{{ ... }}` inside text, parsed once at planning time. */
import type { Placeholder, Template } from '../template.js';
import { parsePlaceholder } from './placeholder.js';

export interface TextProblem {
  /** Offset in the text. */
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

export type ParsedText =
  | { readonly ok: true; readonly parts: readonly (string | Placeholder)[] }
  | { readonly ok: false; readonly problem: TextProblem };

/** Text into literal parts and placeholders; a text without any is one part. */
export function parseText(text: string): ParsedText {
  const parts: (string | Placeholder)[] = [];
  let offset = 0;
  for (;;) {
    const open = text.indexOf('{{', offset);
    const literal = text.slice(offset, open === -1 ? undefined : open);
    if (literal !== '') parts.push(literal);
    if (open === -1) return { ok: true, parts: parts.length === 0 ? [''] : parts };
    const close = endOfPlaceholder(text, open + 2);
    if (close === undefined) return failed(open, '`{{` without `}}`');
    const result = parsePlaceholder(text.slice(open + 2, close));
    if (!result.ok) return failed(open, result.message, result.hint);
    parts.push(result.placeholder);
    offset = close + 2;
  }
}

/**
 * A whole value. Subtrees without placeholders become constants.
 * @param numbers whether a text that is one number placeholder alone yields a JSON number (tool arguments) or text
 * (prompt arguments)
 * @param report called with the path of each text that does not parse
 */
export function parseTemplate(
  value: unknown,
  numbers: boolean,
  report: (path: readonly (string | number)[], problem: TextProblem) => void,
  path: readonly (string | number)[] = [],
): Template {
  if (typeof value === 'string') {
    const parsed = parseText(value);
    if (parsed.ok) return textTemplate(parsed.parts, numbers);
    report(path, parsed.problem);
    return constant('');
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    report(path, { offset: 0, message: `JSON has no number ${value}` });
    return constant(null);
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => parseTemplate(item, numbers, report, [...path, index]));
    return items.every(isConstant) ? constant(value) : { kind: 'array', items };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, parseTemplate(item, numbers, report, [...path, key])] as const,
    );
    return entries.every(([, item]) => isConstant(item)) ? constant(value) : { kind: 'object', entries };
  }
  return constant(value);
}

export function constant(value: unknown): Template {
  return { kind: 'constant', json: JSON.stringify(value) };
}

function textTemplate(parts: readonly (string | Placeholder)[], numbers: boolean): Template {
  const [first] = parts;
  if (parts.every((part) => typeof part === 'string')) return constant(parts.join(''));
  if (numbers && parts.length === 1 && typeof first === 'object' && yieldsNumber(first))
    return { kind: 'number', draw: first };
  return { kind: 'string', parts };
}

function yieldsNumber(placeholder: Placeholder): boolean {
  return ['int', 'seq', 'now', 'client'].includes(placeholder.name);
}

function isConstant(template: Template): boolean {
  return template.kind === 'constant';
}

/** `}}` inside quotes belongs to the quoted word. */
function endOfPlaceholder(text: string, from: number): number | undefined {
  let quote: string | undefined;
  for (let i = from; i < text.length; i += 1) {
    const character = text[i];
    if (quote !== undefined) quote = character === quote ? undefined : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (text.startsWith('}}', i)) return i;
  }
  return undefined;
}

function failed(offset: number, message: string, hint?: string): ParsedText {
  return { ok: false, problem: hint === undefined ? { offset, message } : { offset, message, hint } };
}
