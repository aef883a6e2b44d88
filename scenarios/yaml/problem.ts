/**
 * What is wrong in a file, where, and what would be right. Readers collect all problems before any is shown, and each
 * kind of file has codes of its own.
 */

/**
 * Lines and columns count from 1. For a command-line override, `file` is the option as typed (`--set a.b=c`) and the
 * line is 1.
 */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem<Code extends string = string> extends Position {
  readonly code: Code;
  /** Where in the file's tree, such as `stages.peak.duration`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export function problemAt<Code extends string>(
  at: Position,
  code: Code,
  path: string,
  message: string,
  hint?: string,
): Problem<Code> {
  const { file, line, column } = at;
  const problem = { file, line, column, code, path, message };
  return hint === undefined ? problem : { ...problem, hint };
}

interface ProblemOptions {
  /** Problems with different paths are not equal, and the path is printed before the message. */
  readonly withPath?: boolean;
}

/** The most problems that are told at once. */
export const MOST_PROBLEMS = 100;

/**
 * One `file:line:column: message` line for each problem, with its hint indented below, in the order of the files; of
 * more than a hundred, the last line says how many more there are.
 */
export function formatProblems(problems: readonly Problem[], options: ProblemOptions = {}): string {
  const sorted = sortProblems(problems, options);
  const lines = sorted.slice(0, MOST_PROBLEMS).map(({ file, line, column, path, message, hint }) => {
    const subject = options.withPath === true && path !== '' ? `${path}: ` : '';
    return `${file}:${line}:${column}: ${subject}${message}${hint === undefined ? '' : `\n    hint: ${hint}`}`;
  });
  const more = sorted.length - MOST_PROBLEMS;
  return (more > 0 ? [...lines, `and ${more} more`] : lines).join('\n');
}

/**
 * By file, line and column, files in the order in which they first occur. The same value can be read twice (a profile
 * that two workloads use, an alias), so equal problems are kept once.
 */
export function sortProblems<Code extends string>(
  problems: readonly Problem<Code>[],
  { withPath = false }: ProblemOptions = {},
): readonly Problem<Code>[] {
  const rankOf = new Map<string, number>();
  const unique = new Map<string, Problem<Code>>();
  for (const problem of problems) {
    const { file, line, column, path, message } = problem;
    if (!rankOf.has(file)) rankOf.set(file, rankOf.size);
    unique.set(`${file}:${line}:${column}:${withPath ? `${path}:` : ''}${message}`, problem);
  }
  const rank = ({ file }: Problem): number => rankOf.get(file) ?? 0;
  return [...unique.values()].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}
