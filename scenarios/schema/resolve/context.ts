/** What the resolving functions share: where to report, and how to point into the source. */

import type { Problem, ProblemCode } from '../problem.js';
import { problemAt } from '../problem.js';
import type { Path, SourceNode } from '../source/node.js';
import { descend, keyPositionOf, pathText, positionInside, positionOf } from '../source/node.js';

export type Report = (problem: Problem) => void;

/** A part of the source with its place in the scenario, so that problems can be put where they belong. */
export class Part {
  constructor(
    readonly node: SourceNode,
    /** Path of `node` in the scenario. */
    readonly prefix: string,
    private readonly report: Report,
  ) {}

  /** Reports at the value at `path`, or as near to it as there is one. */
  wrongValue(path: Path, code: ProblemCode, message: string, hint?: string): void {
    this.report(problemAt(positionOf(this.node, path), code, this.where(path), message, hint));
  }

  wrongKey(path: Path, code: ProblemCode, message: string, hint?: string): void {
    this.report(problemAt(keyPositionOf(this.node, path), code, this.where(path), message, hint));
  }

  /** Reports at a character of the text at `path`. */
  wrongText(path: Path, offset: number, message: string, hint?: string): void {
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
