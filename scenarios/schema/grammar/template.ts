import { suggest } from '../../yaml/nearest.js';

/** `{{ ... }}` inside text, parsed once at planning time. */

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

/** Values with `{{ ... }}` in them, parsed once. Drawn per request by the simulator, always from the seed. */

export type Template =
  | { readonly kind: 'constant'; readonly json: string }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: Template])[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  /** One placeholder alone that yields a JSON number: `"{{ int 1 5 }}"`, seq, now, client. */
  | { readonly kind: 'number'; readonly draw: Placeholder }
  | { readonly kind: 'string'; readonly parts: readonly (string | Placeholder)[] };

export type Placeholder =
  | { readonly name: 'text'; readonly length: number }
  | { readonly name: 'int'; readonly min: number; readonly max: number }
  | { readonly name: 'pick'; readonly items: readonly string[] }
  | { readonly name: 'uuid' }
  /** Global slot number of the virtual client, or its remainder. */
  | { readonly name: 'client'; readonly modulo?: number }
  /** Number of the operation within its client, from 0. */
  | { readonly name: 'seq' }
  /** Milliseconds since the epoch at the moment of sending. */
  | { readonly name: 'now' }
  /** Who publishes this, its number among what that client published, and when it was due. */
  | { readonly name: 'stamp' };

/** What stands between `{{` and `}}`: a name and its words. */

export type ParsedPlaceholder =
  | { readonly ok: true; readonly placeholder: Placeholder }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

const placeholderUsage = {
  text: '{{ text 32 }}: that many random letters, digits and spaces, 1 to 1000000',
  int: '{{ int 1 100 }}: a whole number from the first to the second',
  pick: '{{ pick a b "c d" }}: one of the words',
  uuid: '{{ uuid }}',
  client: '{{ client }}: number of the virtual client, or {{ client 10 }}: the remainder of dividing it by 10',
  seq: '{{ seq }}: number of the operation within its client',
  now: '{{ now }}: milliseconds since 1970',
  stamp: '{{ stamp }}: who publishes, its number, and when it was due; subscribers match by it',
} as const satisfies Record<Placeholder['name'], string>;

/** Longest random text of one placeholder; a request is built in one buffer. */
const MAX_TEXT = 1_000_000;

export function parsePlaceholder(source: string): ParsedPlaceholder {
  const [name = '', ...words] = splitWords(source);
  if (!(name in placeholderUsage)) {
    const message = name === '' ? '`{{ }}` names nothing' : `unknown placeholder \`${name}\``;
    return { ok: false, message, hint: suggest(name, Object.keys(placeholderUsage), 'placeholders') };
  }
  const placeholder = buildPlaceholder(name as Placeholder['name'], words);
  if (placeholder !== undefined) return { ok: true, placeholder };
  return {
    ok: false,
    message: `\`{{${source}}}\` does not fit`,
    hint: `write ${placeholderUsage[name as Placeholder['name']]}`,
  };
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

/** Words apart by blanks; quotes keep blanks together. */
function splitWords(source: string): readonly string[] {
  return [...source.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
