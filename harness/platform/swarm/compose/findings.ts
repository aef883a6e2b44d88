import { type Position, problemAt, type Problem as YamlProblem } from '../../../../scenarios/yaml/problem.js';

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
  | WarningCode;

type WarningCode =
  /** `docker stack deploy` accepts it and does nothing with it, and so do we. */
  | 'IGNORED'
  /** It does not mean what it seems to mean. */
  | 'MISLEADING';

/** A problem of a compose file. Its `path` is such as `services.web.ports[0].target`. */
export type Problem = YamlProblem<ProblemCode>;

/** Collects what is refused, and what is accepted with a warning. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  refuse(at: Position, code: Exclude<ProblemCode, WarningCode>, path: string, message: string, hint?: string): void {
    this.problems.push(problemAt(at, code, path, message, hint));
  }

  warn(at: Position, code: WarningCode, path: string, message: string, hint?: string): void {
    this.warnings.push(problemAt(at, code, path, message, hint));
  }

  get refused(): boolean {
    return this.problems.length > 0;
  }
}
