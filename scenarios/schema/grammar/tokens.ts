/** A check's text cut into tokens, each with its offset. */

export type TokenKind = 'word' | 'text' | 'number' | 'operator' | 'unit' | '{' | '}' | '=' | ',';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of text: without its quotes. */
  readonly value: string;
  readonly offset: number;
}

export type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly offset: number; readonly message: string };

/** In order of trial: operators before `=`, numbers with the unit that follows them. */
const shapes: readonly (readonly [TokenKind, RegExp])[] = [
  ['operator', /(?:<=|>=|==|!=|<|>)/y],
  ['text', /"([^"]*)"/y],
  ['number', /-?\d+(?:\.\d+)?(?![\w.])|-?\d+(?:\.\d+)?(?=[a-zA-Zµ%])/y],
  ['word', /[A-Za-z_][\w.-]*/y],
  ['unit', /%|µs|\/ ?[a-z]+/y],
  ['{', /\{/y],
  ['}', /\}/y],
  ['=', /=/y],
  [',', /,/y],
];

export function tokenise(source: string): Tokens {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    if (/\s/.test(source.charAt(offset))) {
      offset += 1;
      continue;
    }
    const token = tokenAt(source, offset);
    if (token === undefined) return { ok: false, offset, message: unexpected(source, offset) };
    tokens.push(token.token);
    offset = token.end;
  }
  return { ok: true, tokens };
}

function tokenAt(source: string, offset: number): { readonly token: Token; readonly end: number } | undefined {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = offset;
    const match = shape.exec(source);
    if (match !== null) return { token: { kind, value: match[1] ?? match[0], offset }, end: shape.lastIndex };
  }
  return undefined;
}

function unexpected(source: string, offset: number): string {
  const character = source.charAt(offset);
  if (character === '"') return 'a `"` without its partner';
  if (character === "'") return "use double quotes for a label's value";
  return `unexpected \`${character}\``;
}
