import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { LineCounter } from 'yaml';
import type { MapEntry, SourceNode } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import type { Problem } from '../source-part.js';

export interface ParsedFile {
  /** Undefined when the text cannot be read. */
  readonly node: SourceNode | undefined;
  readonly problems: readonly Problem[];
}

/** One mistake makes the parser stumble several times. */
const MAX_PROBLEMS = 5;

/** JSON with comments and trailing commas, as editors write it, into nodes that know where they stand. */
export function parseJsonc(text: string, file: string): ParsedFile {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  const problems: Problem[] = [];
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const refuse = (offset: number, message: string, hint?: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problemAt(position(offset), 'SYNTAX', '', message, hint));
  };
  try {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    for (const { error, offset } of errors) refuse(offset, wordsOf(printParseErrorCode(error)));
    const node = root === undefined ? undefined : new JsonReader(text, position, refuse).read(root);
    return { node: problems.length > 0 ? undefined : node, problems };
  } catch (error) {
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    return { node: undefined, problems: [problemAt(position(0), 'SYNTAX', '', 'the file is nested too deeply')] };
  }
}

/** `CloseBraceExpected` as `close brace expected`. */
function wordsOf(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

class JsonReader {
  constructor(
    private readonly text: string,
    private readonly position: (offset: number) => Position,
    private readonly refuse: (offset: number, message: string, hint?: string) => void,
  ) {}

  read(node: Node): SourceNode {
    const at = this.position(node.offset);
    const { children = [] } = node;
    switch (node.type) {
      case 'array':
        return { kind: 'list', items: children.map((child) => this.read(child)), at };
      case 'object':
        return { kind: 'map', entries: this.entries(children), at };
      default: {
        const source = this.text.slice(node.offset, node.offset + node.length);
        const value = node.value as string | number | boolean | null;
        const isText = typeof value === 'string';
        const asWritten = isText && source.slice(1, -1) === value;
        return {
          kind: 'scalar',
          value,
          source: isText ? value : source,
          plain: !isText,
          at,
          textColumn: asWritten ? at.column + 1 : undefined,
        };
      }
    }
  }

  private entries(properties: readonly Node[]): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const { children: [key, value] = [] } of properties) {
      if (key === undefined || value === undefined) continue;
      const name = String(key.value);
      if (entries.has(name))
        this.refuse(key.offset, 'this key is already given in the same map', 'keep one of the two');
      entries.set(name, { keyAt: this.position(key.offset), node: this.read(value) });
    }
    return entries;
  }
}
