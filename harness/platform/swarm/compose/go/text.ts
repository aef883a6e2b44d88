/** Text as Go handles it. */

/** The text before the first separator, and the text after it: null without one. */
export function cut(text: string, separator: string): readonly [string, string | null] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, null] : [text.slice(0, index), text.slice(index + separator.length)];
}

/** For sorting, by characters: not in the order of any language. */
export function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type ShellWords =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'wrong'; readonly message: string };

type State = 'between' | 'word' | 'single' | 'double' | 'comment';

/** Splits a command line into words: quotes, backslashes, `#` comments; no variables. Facts: google/shlex. */
export function shellWords(line: string): ShellWords {
  const words: string[] = [];
  let word = '';
  let state: State = 'between';
  const characters = [...line];
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    if (state === 'comment') {
      if (character === '\n') state = 'between';
    } else if (state === 'single') {
      if (character === "'") state = 'word';
      else word += character;
    } else if (character === '\\') {
      const next = characters[i + 1];
      if (next === undefined) return { kind: 'wrong', message: 'ends with a backslash that escapes nothing' };
      word += next;
      i += 1;
      if (state === 'between') state = 'word';
    } else if (state === 'double') {
      if (character === '"') state = 'word';
      else word += character;
    } else if (character === '"') state = 'double';
    else if (character === "'") state = 'single';
    else if (' \t\r\n'.includes(character)) {
      if (state === 'word') words.push(word);
      word = '';
      state = 'between';
    } else if (character === '#' && state === 'between') state = 'comment';
    else {
      word += character;
      state = 'word';
    }
  }
  if (state === 'single' || state === 'double')
    return { kind: 'wrong', message: `has no closing ${state === 'single' ? "'" : '"'}` };
  return { kind: 'words', words: state === 'word' ? [...words, word] : words };
}
