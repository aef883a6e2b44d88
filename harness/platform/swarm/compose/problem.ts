/**
 * What is wrong with a set of compose files, or will be ignored, and where. All findings are collected before any is
 * shown.
 */

type ProblemCode =
  | 'SYNTAX'
  | 'VERSION'
  | 'UNKNOWN_KEY'
  | 'MISSING_KEY'
  | 'FORBIDDEN_KEY'
  | 'INVALID_VALUE'
  | 'INTERPOLATION'
  | 'CONFLICT'
  | 'UNDEFINED'
  | 'FILE'
  /** Warnings only: `docker stack deploy` takes it and does nothing with it; so do we. */
  | 'IGNORED'
  /** Warnings only: it does not mean what it seems to mean. */
  | 'SURPRISE';

/** Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly code: ProblemCode;
  /** `services.web.ports[0].target`; empty for a whole file. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  refuse(at: Position, code: ProblemCode, path: string, message: string, hint?: string): void {
    this.problems.push(problem(at, code, path, message, hint));
  }

  warn(at: Position, code: 'IGNORED' | 'SURPRISE', path: string, message: string, hint?: string): void {
    this.warnings.push(problem(at, code, path, message, hint));
  }

  get refused(): boolean {
    return this.problems.length > 0;
  }
}

/**
 * One `file:line:column: message` line each, hints indented below; in order of file, line and column, without repeats.
 */
export function formatProblems(problems: readonly Problem[]): string {
  return inOrder(problems)
    .map(({ file, line, column, path, message, hint }) => {
      const subject = path === '' ? '' : `${path}: `;
      return `${file}:${line}:${column}: ${subject}${message}${hint === undefined ? '' : `\n    hint: ${hint}`}`;
    })
    .join('\n');
}

export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map((each) => each.file))];
  const unique = new Map(
    problems.map((each) => [`${each.file}:${each.line}:${each.column}:${each.path}:${each.message}`, each]),
  );
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

function problem(at: Position, code: ProblemCode, path: string, message: string, hint: string | undefined): Problem {
  const { file, line, column } = at;
  return { file, line, column, code, path, message, ...(hint === undefined ? {} : { hint }) };
}
