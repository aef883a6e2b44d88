/**
 * What is wrong with a scenario, where, and what would be right. All problems of a scenario are collected before any is
 * shown.
 */

export type ProblemCode =
  | 'SYNTAX'
  | 'UNKNOWN_KEY'
  | 'MISSING_KEY'
  | 'INVALID_VALUE'
  | 'CONFLICT'
  | 'NOT_FOUND'
  | 'LIMIT_EXCEEDED'
  | 'TARGET_NOT_ALLOWED'
  | 'UNSET_VARIABLE';

/**
 * Lines and columns count from 1. For a command-line override, `file` is the option as typed (`--set a.b=c`) and the
 * line is 1.
 */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly code: ProblemCode;
  /** As `--set` would name it: `stages.peak.duration`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export function problemAt(at: Position, code: ProblemCode, path: string, message: string, hint?: string): Problem {
  const { file, line, column } = at;
  const problem = { file, line, column, code, path, message };
  return hint === undefined ? problem : { ...problem, hint };
}

/**
 * One `file:line:column: message` line a problem, hints indented below. In order of file, line and column, without
 * repeats.
 */
export function formatProblems(problems: readonly Problem[]): string {
  return sortProblems(problems)
    .map((problem) => {
      const where = `${problem.file}:${problem.line}:${problem.column}`;
      const hint = problem.hint === undefined ? '' : `\n    hint: ${problem.hint}`;
      return `${where}: ${problem.message}${hint}`;
    })
    .join('\n');
}

/** The same value can be read twice (a profile used by two workloads), so equal problems are reported once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  const unique = new Map(
    problems.map((problem) => [`${problem.file}:${problem.line}:${problem.column}:${problem.message}`, problem]),
  );
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}
