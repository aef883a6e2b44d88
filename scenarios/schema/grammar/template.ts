/** Values with `{{ ... }}` in them. They are parsed once, and the workers draw from them for each request. */
import { suggest } from '../../yaml/nearest.js';

/** Everything is drawn from the seed, except for `now`. */
export type Template =
  | { readonly kind: 'constant'; readonly json: string }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: Template])[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  /** A text that is one placeholder and becomes a JSON number: `"{{ int 1 5 }}"`, or one of seq, now, client. */
  | { readonly kind: 'number'; readonly draw: Placeholder }
  | { readonly kind: 'string'; readonly parts: readonly (string | Placeholder)[] };

export type Placeholder =
  | { readonly name: 'text'; readonly length: number }
  | { readonly name: 'int'; readonly min: number; readonly max: number }
  | { readonly name: 'pick'; readonly items: readonly string[] }
  | { readonly name: 'uuid' }
  /** Number of the virtual client in the run, or its remainder. */
  | { readonly name: 'client'; readonly modulo?: number }
  /** Number of the operation within its client, from 0. */
  | { readonly name: 'seq' }
  /** Milliseconds since 1970, at the moment of sending. */
  | { readonly name: 'now' }
  /** The publisher, the number of the publication among those of its publisher, and its due time. */
  | { readonly name: 'stamp' };

export interface TextProblem {
  /** Offset in the text. */
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

type ParsedText =
  | { readonly ok: true; readonly parts: readonly (string | Placeholder)[] }
  | { readonly ok: false; readonly problem: TextProblem };

/**
 * Parses every text of a value. Parts without placeholders become constants.
 * @param numbers whether a text that is one number placeholder becomes a JSON number (arguments of a tool) or stays
 * text (arguments of a prompt)
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

function isConstant(template: Template): boolean {
  return template.kind === 'constant';
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

/** Text as literal parts and placeholders. A text without placeholders is one part. */
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

/** A `}}` inside quotes belongs to the quoted word. */
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

type ParsedPlaceholder =
  | { readonly ok: true; readonly placeholder: Placeholder }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

interface PlaceholderHelp {
  readonly example: string;
  readonly gives: string;
}

export const placeholders = {
  text: { example: '{{ text 32 }}', gives: 'that many random letters, digits and spaces, 1 to 1000000' },
  int: { example: '{{ int 1 100 }}', gives: 'a random whole number from the first to the second' },
  pick: { example: '{{ pick a b "c d" }}', gives: 'one of the words at random' },
  uuid: { example: '{{ uuid }}', gives: 'a random UUID' },
  client: {
    example: '{{ client }}',
    gives: 'the number of the virtual client in the run, from 0; with {{ client 10 }} its remainder, 0 to 9',
  },
  seq: { example: '{{ seq }}', gives: 'the number of the operation within its client, from 0' },
  now: { example: '{{ now }}', gives: 'milliseconds since 1970, when the request is sent' },
  stamp: {
    example: '{{ stamp }}',
    gives: 'the publisher, the number of the publication and its due time; subscribers count by it',
  },
} as const satisfies Readonly<Record<Placeholder['name'], PlaceholderHelp>>;

/** Longest random text of one placeholder, because a request is built in one buffer. */
const MAX_TEXT = 1_000_000;

/** @param source the text between `{{` and `}}`: a name and its words */
function parsePlaceholder(source: string): ParsedPlaceholder {
  const [name = '', ...words] = splitWords(source);
  if (!isPlaceholderName(name)) {
    const message = name === '' ? '`{{ }}` names no placeholder' : `unknown placeholder \`${name}\``;
    return { ok: false, message, hint: suggest(name, Object.keys(placeholders), 'placeholders') };
  }
  const placeholder = buildPlaceholder(name, words);
  if (placeholder !== undefined) return { ok: true, placeholder };
  const { example, gives } = placeholders[name];
  return { ok: false, message: `\`{{${source}}}\` does not fit`, hint: `write ${example}: ${gives}` };
}

function isPlaceholderName(name: string): name is Placeholder['name'] {
  return Object.hasOwn(placeholders, name);
}

function buildPlaceholder(name: Placeholder['name'], words: readonly string[]): Placeholder | undefined {
  switch (name) {
    case 'text': {
      const [length] = wholeNumbers(words, 1);
      return length !== undefined && length >= 1 && length <= MAX_TEXT ? { name, length } : undefined;
    }
    case 'int': {
      const [min, max] = wholeNumbers(words, 2);
      return min !== undefined && max !== undefined && min <= max ? { name, min, max } : undefined;
    }
    case 'pick':
      return words.length > 0 ? { name, items: words } : undefined;
    case 'client': {
      if (words.length === 0) return { name };
      const [modulo] = wholeNumbers(words, 1);
      return modulo !== undefined && modulo >= 1 ? { name, modulo } : undefined;
    }
    case 'uuid':
    case 'seq':
    case 'stamp':
    case 'now':
      return words.length === 0 ? { name } : undefined;
  }
}

function wholeNumbers(words: readonly string[], count: number): readonly number[] {
  const numbers = words.map(Number);
  const fits =
    words.length === count && words.every((word) => /^-?\d+$/.test(word)) && numbers.every(Number.isSafeInteger);
  return fits ? numbers : [];
}

/** Words are separated by blanks; quotes keep blanks in a word. */
function splitWords(source: string): readonly string[] {
  return [...source.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
