import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { type MapEntry, type MapNode, type SourceNode, scalarNode } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import type { ParsedFile } from './parse-jsonc.js';

/** A table while it is filled: TOML may add to one from several places. */
interface Table extends MapNode {
  readonly entries: Map<string, MapEntry>;
}

/** TOML into nodes that know where they stand. The parser refuses repeated keys. */
export function parseToml(text: string, file: string): ParsedFile {
  try {
    return { node: new TomlReader(file).read(parseTOML(text)), problems: [] };
  } catch (error) {
    const at = { file, line: 1, column: 1 };
    if (error instanceof ParseError) {
      const place = { ...at, line: error.lineNumber, column: error.column + 1 };
      return { node: undefined, problems: [problemAt(place, 'SYNTAX', '', lowerFirst(error.message))] };
    }
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    return { node: undefined, problems: [problemAt(at, 'SYNTAX', '', 'the file is nested too deeply')] };
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

class TomlReader {
  constructor(private readonly file: string) {}

  read(program: AST.TOMLProgram): SourceNode {
    const root = this.table(program);
    for (const item of program.body[0].body) {
      if (item.type === 'TOMLKeyValue') this.add(root, item);
      else {
        const table = this.open(root, item);
        for (const pair of item.body) this.add(table, pair);
      }
    }
    return root;
  }

  /** The table of a header such as `[a.b]`; with `[[a.b]]` a new one at the end of a list. */
  private open(root: Table, header: AST.TOMLTable): Table {
    const { resolvedKey } = header;
    let node: SourceNode = root;
    for (const [index, key] of resolvedKey.entries()) {
      const isList = typeof resolvedKey[index + 1] === 'number';
      const part =
        header.key.keys[resolvedKey.slice(0, index + 1).filter((each) => typeof each === 'string').length - 1];
      node = this.step(node, key, part ?? header, isList);
    }
    return node as Table;
  }

  private step(parent: SourceNode, key: string | number, place: AST.TOMLNode, isList: boolean): SourceNode {
    const made = (): SourceNode => (isList ? { kind: 'list', items: [], at: this.at(place) } : this.table(place));
    if (parent.kind === 'list') {
      const items = parent.items as SourceNode[];
      const index = Number(key);
      items[index] ??= made();
      return items[index];
    }
    const { entries } = parent as Table;
    const found = entries.get(String(key));
    if (found !== undefined) return found.node;
    const node = made();
    entries.set(String(key), { keyAt: this.at(place), node });
    return node;
  }

  /** `a.b = 1` makes the table `a` where there is none. */
  private add(table: Table, { key, value }: AST.TOMLKeyValue): void {
    let parent: SourceNode = table;
    for (const part of key.keys.slice(0, -1)) parent = this.step(parent, nameOf(part), part, false);
    const last = key.keys.at(-1);
    if (last !== undefined)
      (parent as Table).entries.set(nameOf(last), { keyAt: this.at(last), node: this.value(value) });
  }

  private value(node: AST.TOMLContentNode): SourceNode {
    const at = this.at(node);
    if (node.type === 'TOMLArray') return { kind: 'list', items: node.elements.map((item) => this.value(item)), at };
    if (node.type === 'TOMLInlineTable') {
      const table = this.table(node);
      for (const pair of node.body) this.add(table, pair);
      return table;
    }
    if (node.kind === 'string') {
      const textColumn = node.range[1] - node.range[0] === node.value.length + 2 ? at.column + 1 : undefined;
      return { ...scalarNode(node.value, at), plain: false, textColumn };
    }
    if (node.kind === 'boolean') return { ...scalarNode(String(node.value), at), value: node.value };
    if ('number' in node) return { ...scalarNode(node.number, at), value: node.value };
    return scalarNode(node.datetime, at);
  }

  private table(place: AST.TOMLNode): Table {
    return { kind: 'map', entries: new Map(), at: this.at(place) };
  }

  private at({ loc }: AST.TOMLNode): Position {
    return { file: this.file, line: loc.start.line, column: loc.start.column + 1 };
  }
}

function nameOf(part: AST.TOMLBare | AST.TOMLQuoted): string {
  return part.type === 'TOMLBare' ? part.name : part.value;
}
