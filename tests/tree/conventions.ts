import type { SourceFile } from './source-files.js';

const MAX_COLUMNS = 120;

interface Convention {
  readonly pattern: RegExp;
  /** What to do instead. */
  readonly rule: string;
}

const conventions: readonly Convention[] = [
  {
    pattern: new RegExp(`^.{${MAX_COLUMNS + 1}}`),
    rule: `a line has at most ${MAX_COLUMNS} columns`,
  },
  {
    pattern: /^\s*(?:(?:static|readonly|async|get|set) )*#\w|\bthis\.#\w/,
    rule: 'a private member is `private`',
  },
  {
    // A constant with a type (`const answer: Handler = (request) => ...`) is fine: the type gives the parameters.
    pattern: new RegExp(
      [
        /^(?:export )?(?:const|let) \w+ = (?:async )?(?:<.*>)?/,
        /(?:\w+ =>|\([^()]*(?:\([^()]*\)[^()]*)*\)(?:: .+)? =>|\($)/,
      ]
        .map(({ source }) => source)
        .join(''),
    ),
    rule: 'a function at the top of a file is a declaration',
  },
];

/** Every line that breaks a convention, with the convention; empty when all hold. */
export function unconventional(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        conventions.flatMap(({ pattern, rule }) => (pattern.test(line) ? [`${path}:${index + 1}: ${rule}`] : [])),
      ),
  );
}
