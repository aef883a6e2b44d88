/** What the resolving functions share: where to report, and how to point into the source. */

import {
  descend,
  keyPositionOf,
  type Path,
  pathText,
  positionInside,
  positionOf,
  type SourceNode,
} from '../yaml/node.js';
import { type Problem, type ProblemCode, problemAt } from '../yaml/problem.js';

export type ReportProblem = (problem: Problem) => void;

/** A part of the source with its place in the scenario, so that problems can be put where they belong. */
export class SourcePart {
  constructor(
    readonly node: SourceNode,
    /** Path of `node` in the scenario. */
    readonly prefix: string,
    private readonly report: ReportProblem,
  ) {}

  /** Reports at the value at `path`, or as near to it as there is one. */
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
