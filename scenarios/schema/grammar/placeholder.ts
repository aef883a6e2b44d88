/** What stands between `{{` and `}}`: a name and its words. */
import { suggest } from '../nearest.js';
import type { Placeholder } from '../template.js';

export type ParsedPlaceholder =
  | { readonly ok: true; readonly placeholder: Placeholder }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

const usage = {
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
  const [name = '', ...words] = split(source);
  if (!(name in usage)) {
    const message = name === '' ? '`{{ }}` names nothing' : `unknown placeholder \`${name}\``;
    return { ok: false, message, hint: suggest(name, Object.keys(usage), 'placeholders') };
  }
  const placeholder = build(name as Placeholder['name'], words);
  if (placeholder !== undefined) return { ok: true, placeholder };
  return { ok: false, message: `\`{{${source}}}\` does not fit`, hint: `write ${usage[name as Placeholder['name']]}` };
}

function build(name: Placeholder['name'], words: readonly string[]): Placeholder | undefined {
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
function split(source: string): readonly string[] {
  return [...source.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
