import { child, descend, keyPositionOf, type Path, positionInside, positionOf, type SourceNode } from '../yaml/node.js';
import { type Position, problemAt, type Problem as YamlProblem } from '../yaml/problem.js';

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

/** What is wrong with a scenario. Its `path` is the one that `--set` takes. */
export type Problem = YamlProblem<ProblemCode>;

export type ReportProblem = (problem: Problem) => void;

/** A part of the source with its place in the scenario, so that problems can be reported where they belong. */
export class SourcePart {
  constructor(
    readonly node: SourceNode,
    /** Path of `node` in the scenario. */
    private readonly prefix: string,
    private readonly report: ReportProblem,
  ) {}

  /** Reports at the value at `path`, or at the deepest part of the path that exists. */
  reportAtValue(path: Path, code: ProblemCode, message: string, hint?: string): void {
    this.report(problemAt(positionOf(this.node, path), code, this.where(path), message, hint));
  }

  reportAtKey(path: Path, code: ProblemCode, message: string, hint?: string): void {
    this.report(problemAt(keyPositionOf(this.node, path), code, this.where(path), message, hint));
  }

  /** Reports at a character of the text at `path`. */
  reportInText(path: Path, offset: number, message: string, hint?: string): void {
    const found = descend(this.node, path);
    const at = found === undefined ? positionOf(this.node, path) : positionInside(found, offset);
    this.report(problemAt(at, 'INVALID_VALUE', this.where(path), message, hint));
  }

  has(path: Path): boolean {
    return descend(this.node, path) !== undefined;
  }

  private where(path: Path): string {
    return [this.prefix, pathText(this.node, path)].filter((part) => part !== '').join('.');
  }
}

/** The path as `--set` takes it: items of a list by their name where they have one. */
function pathText(root: SourceNode, path: Path): string {
  let node: SourceNode | undefined = root;
  const names: string[] = [];
  for (const key of path) {
    const next: SourceNode | undefined = child(node, key);
    names.push(typeof key === 'number' ? (nameOf(next) ?? String(key)) : key);
    node = next;
  }
  return names.join('.');
}

/** The name of a list item: its `name`, or the tool or prompt that an operation calls. */
export function nameOf(node: SourceNode | undefined): string | undefined {
  for (const key of ['name', 'tool', 'prompt']) {
    const name = child(node, key);
    if (name?.kind === 'scalar' && typeof name.value === 'string') return name.value;
  }
  return undefined;
}

/** For problems with what stands on the command line. */
export function positionOfOption(option: string): Position {
  return { file: option, line: 1, column: 1 };
}
