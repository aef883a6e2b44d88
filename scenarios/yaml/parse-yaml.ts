import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import type { MapEntry, ScalarNode, SourceNode } from './node.js';
import { type Position, type Problem, problemAt } from './problem.js';

interface ParsedYaml {
  /** Undefined when the text has no value at all or cannot be read. */
  readonly node: SourceNode | undefined;
  readonly problems: readonly Problem[];
}

/** Far beyond any real scenario; stops a few lines of nested aliases from becoming billions of values. */
const MAX_NODES = 100_000;

/**
 * Reads one YAML 1.2 document. Syntax errors and duplicate keys are problems; aliases are followed.
 * @param origin place of the text's first character, for text that is itself part of something (an override's value)
 */
export function parseYaml(text: string, origin: Position): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const reader = new Reader(document, text, lines, origin);
  const problems = [...document.errors, ...document.warnings].map((error) => reader.problem(error));
  const contents = document.contents;
  if (problems.length > 0 || contents === null) return { node: undefined, problems };
  const node = reader.read(contents);
  return { node: reader.problems.length > 0 ? undefined : node, problems: reader.problems };
}

class Reader {
  readonly problems: Problem[] = [];
  private nodes = 0;

  constructor(
    private readonly document: Document.Parsed,
    private readonly text: string,
    private readonly lines: LineCounter,
    private readonly origin: Position,
  ) {}

  problem(error: YAMLError): Problem {
    const message = error.message.replace(/\.$/, '');
    if (error.code === 'DUPLICATE_KEY') {
      return problemAt(
        this.at(error.pos[0]),
        'SYNTAX',
        '',
        'this key is already given in the same map',
        'keep one of the two',
      );
    }
    return problemAt(this.at(error.pos[0]), 'SYNTAX', '', message, hints[error.code]);
  }

  read(node: ParsedNode): SourceNode {
    const at = this.at(node.range[0]);
    this.nodes += 1;
    if (this.nodes > MAX_NODES) return this.refuse(at, `more than ${MAX_NODES} values, counting what aliases repeat`);
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      return target === undefined ? this.refuse(at, `no anchor named ${node.source}`) : this.read(target as ParsedNode);
    }
    if (isScalar(node)) return this.scalar(node, at);
    if (isSeq(node)) return { kind: 'list', items: (node.items as ParsedNode[]).map((item) => this.read(item)), at };
    if (!isMap(node)) return this.refuse(at, 'expected a map, a list or a value');
    const entries = new Map<string, MapEntry>();
    for (const pair of node.items) {
      const key = pair.key as ParsedNode;
      const keyAt = this.at(key.range[0]);
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) this.refuse(keyAt, 'a key must be plain text');
      else
        entries.set(name, { keyAt, node: pair.value === null ? nothing(keyAt) : this.read(pair.value as ParsedNode) });
    }
    return { kind: 'map', entries, at };
  }

  private scalar(node: Scalar.Parsed, at: Position): ScalarNode {
    const value = node.value;
    const known =
      value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!known) return this.refuse(at, 'only text, numbers, true, false and null can be used here');
    return { kind: 'scalar', value, at, textColumn: this.textColumn(node, at) };
  }

  /** Escapes, folds and block scalars shift characters; only text that stands as it reads can be pointed into. */
  private textColumn(node: Scalar.Parsed, at: Position): number | undefined {
    if (typeof node.value !== 'string') return undefined;
    const raw = this.text.slice(node.range[0], node.range[1]);
    if (raw === node.value) return at.column;
    return raw.slice(1, -1) === node.value ? at.column + 1 : undefined;
  }

  private refuse(at: Position, message: string): ScalarNode {
    this.problems.push(problemAt(at, 'SYNTAX', '', message));
    return nothing(at);
  }

  private at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    const column = line <= 1 ? this.origin.column + Math.max(col, 1) - 1 : col;
    return { file: this.origin.file, line: this.origin.line + Math.max(line, 1) - 1, column };
  }
}

function nothing(at: Position): ScalarNode {
  return { kind: 'scalar', value: null, at, textColumn: undefined };
}

const hints: Partial<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'text that contains ": " must stand in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key is missing its ":", or text that goes on in the next line needs quotes',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'keys of one map start in the same column',
  MULTIPLE_DOCS: 'one scenario or profile a file',
};
