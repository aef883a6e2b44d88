import {
  Composer,
  type Document,
  isAlias,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { kindOf, type MapEntry, type SourceNode, scalarNode } from './node.js';
import { type Position, type Problem, problemAt } from './problem.js';

/** What YAML a kind of file may contain. */
export interface YamlDialect {
  /** `<<` stands for the keys of another map, or of a list of maps. */
  readonly mergeKeys: boolean;
  /** `one`: a second document is refused. `first`: it is left unread. */
  readonly documents: 'one' | 'first';
  /** `kept`: nodes carry their tags, and the caller decides what they mean. */
  readonly tags: 'refused' | 'kept';
  /** Why `key` cannot be a key; undefined when it can. */
  readonly keyProblem: (key: SourceNode) => KeyProblem | undefined;
}

interface KeyProblem {
  readonly message: string;
  readonly hint?: string;
}

const plainYaml: YamlDialect = {
  mergeKeys: false,
  documents: 'one',
  tags: 'refused',
  keyProblem: (key) => (key.kind === 'scalar' ? undefined : { message: 'a key must be plain text' }),
};

interface ParsedYaml {
  /** Undefined when the text has no value at all or cannot be read. */
  readonly node: SourceNode | undefined;
  readonly problems: readonly Problem<'SYNTAX'>[];
  /** Where the second document begins. */
  readonly secondAt: Position | undefined;
}

/** Far beyond any real file; stops a few lines of nested aliases from becoming billions of values. */
const MAX_NODES = 200_000;

/**
 * Reads a YAML 1.2 document into nodes that know where they stand. Syntax errors and repeated keys are problems;
 * an alias becomes what it stands for.
 * @param origin place of the text's first character, for text that is itself part of something (an override's value)
 */
export function parseYaml(text: string, origin: Position, dialect: YamlDialect = plainYaml): ParsedYaml {
  const source = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  // Repeated keys are found by the reader: the library would compare each key with each.
  const composer = new Composer({ uniqueKeys: false });
  const [document, second] = composer.compose(new Parser(lines.addNewLine).parse(source), true, source.length);
  if (document === undefined) return { node: undefined, problems: [], secondAt: undefined };
  const reader = new Reader(document, source, lines, origin, dialect);
  const secondAt = second && reader.at(second.range[0]);
  reader.reportSyntax(secondAt);
  const { contents } = document;
  const node = reader.problems.length > 0 || contents === null ? undefined : reader.read(contents);
  return { node: reader.problems.length > 0 ? undefined : node, problems: reader.problems, secondAt };
}

class Reader {
  readonly problems: Problem<'SYNTAX'>[] = [];
  private nodes = 0;
  /** There are too many nodes: the rest is not read, and no further problem is reported. */
  private full = false;
  private readonly targets: ReadonlyMap<ParsedNode, ParsedNode>;
  /** Maps and lists that are being read. */
  private readonly open = new Set<ParsedNode>();

  constructor(
    private readonly document: Document.Parsed,
    private readonly text: string,
    private readonly lines: LineCounter,
    private readonly origin: Position,
    private readonly dialect: YamlDialect,
  ) {
    this.targets = aliasTargets(document);
  }

  at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    const column = line <= 1 ? this.origin.column + Math.max(col, 1) - 1 : col;
    return { file: this.origin.file, line: this.origin.line + Math.max(line, 1) - 1, column };
  }

  reportSyntax(secondAt: Position | undefined): void {
    const { errors, warnings } = this.document;
    // Nearly all that the library warns of are tags that it does not know.
    for (const { pos, code, message } of this.dialect.tags === 'refused' ? [...errors, ...warnings] : errors)
      this.refuse(this.at(pos[0]), message.replace(/\.$/, ''), hints[code]);
    if (secondAt !== undefined && this.dialect.documents === 'one')
      this.refuse(secondAt, 'a second document begins here', 'put each document in a file of its own');
  }

  read(node: ParsedNode): SourceNode {
    const at = this.at(node.range[0]);
    this.nodes += 1;
    if (this.nodes > MAX_NODES) {
      const refused = this.refuse(at, `more than ${MAX_NODES} values, counting what aliases repeat`);
      this.full = true;
      return refused;
    }
    if (isAlias(node)) {
      const target = this.targets.get(node);
      if (target === undefined) return this.refuse(at, `no anchor named "${node.source}"`);
      return this.open.has(target) ? this.refuse(at, `anchor "${node.source}" contains itself`) : this.read(target);
    }
    if (isScalar(node)) return this.scalar(node, at);
    this.open.add(node);
    const { tag } = node;
    const collection: SourceNode = isSeq(node)
      ? { kind: 'list', items: node.items.map((item) => this.read(item as ParsedNode)), at, tag }
      : { kind: 'map', entries: this.entries(node as YAMLMap.Parsed), at, tag };
    this.open.delete(node);
    return collection;
  }

  private entries(map: YAMLMap.Parsed): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    const keys = new Set<string>();
    let merged: ParsedNode | null = null;
    for (const { key, value } of map.items) {
      const keyAt = this.at(key.range[0]);
      const name = this.keyName(key, keyAt);
      if (name === undefined) continue;
      if (keys.has(name)) this.refuse(keyAt, 'this key is already given in the same map', 'keep one of the two');
      keys.add(name);
      if (this.dialect.mergeKeys && isScalar(key) && key.type === 'PLAIN' && name === '<<') merged = value;
      else entries.set(name, { keyAt, node: isBlank(value) ? scalarNode(null, keyAt) : this.read(value) });
    }
    if (merged !== null) this.merge(entries, merged);
    return entries;
  }

  private keyName(key: ParsedNode, at: Position): string | undefined {
    const before = this.problems.length;
    const node = this.read(key);
    if (this.problems.length > before) return undefined;
    const problem = this.dialect.keyProblem(node);
    if (problem !== undefined) this.refuse(at, problem.message, problem.hint);
    return problem === undefined && node.kind === 'scalar' ? node.source : undefined;
  }

  /** Merged keys never replace the map's own, and of several merged maps the first wins. */
  private merge(entries: Map<string, MapEntry>, node: ParsedNode): void {
    const before = this.problems.length;
    const merged = this.read(node);
    if (this.problems.length > before) return;
    for (const source of merged.kind === 'list' ? merged.items : [merged]) {
      if (source.kind === 'map') {
        for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
      } else this.refuse(source.at, `a merge key (<<) takes a map or a list of maps, not ${kindOf(source)}`);
    }
  }

  private scalar(node: Scalar.Parsed, at: Position): SourceNode {
    const { value, source, tag } = node;
    const known =
      value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!known && this.dialect.tags === 'refused')
      return this.refuse(at, 'only text, numbers, true, false and null can be used here');
    return {
      kind: 'scalar',
      value: known ? value : source,
      source,
      plain: node.type === 'PLAIN',
      tag,
      at,
      textColumn: this.textColumn(node, at),
    };
  }

  /** Escapes, folds and block scalars shift characters; only text that stands as it reads can be pointed into. */
  private textColumn(node: Scalar.Parsed, at: Position): number | undefined {
    if (typeof node.value !== 'string') return undefined;
    const raw = this.text.slice(node.range[0], node.range[1]);
    if (raw === node.value) return at.column;
    return raw.slice(1, -1) === node.value ? at.column + 1 : undefined;
  }

  private refuse(at: Position, message: string, hint?: string): SourceNode {
    if (!this.full) this.problems.push(problemAt(at, 'SYNTAX', '', message, hint));
    return scalarNode(null, at);
  }
}

/** What each alias stands for: the last node before it that has its anchor. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<ParsedNode, ParsedNode> {
  const anchors = new Map<string, ParsedNode>();
  const targets = new Map<ParsedNode, ParsedNode>();
  visit(document, {
    Node: (_, node) => {
      const target = isAlias(node) ? anchors.get(node.source) : undefined;
      if (target !== undefined) targets.set(node as ParsedNode, target);
      if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node as ParsedNode);
    },
  });
  return targets;
}

/** Nothing stands after the colon, so that the key is the place to show. */
function isBlank(node: ParsedNode | null): node is null {
  return node === null || (isScalar(node) && node.tag === undefined && node.type === 'PLAIN' && node.source === '');
}

const hints: Partial<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'text that contains ": " must stand in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key is missing its ":", or text that goes on in the next line needs quotes',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'keys of one map start in the same column',
};
