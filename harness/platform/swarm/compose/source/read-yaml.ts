/** Reads a compose file into values with positions, with the merge keys, scalars and refusals of Go's yaml.v3. */

import {
  type Document,
  isAlias,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type YAMLMap,
  type Scalar as YamlScalar,
} from 'yaml';
import type { Findings, Position } from '../problem.js';
import { resolvePlain, type Scalar } from './scalar.js';
import { describeValue, type MapEntry, type MapValue, type SourceValue, type UnknownValue } from './value.js';

/** Stops a few lines of nested aliases from becoming billions of values. */
const MAX_VALUES = 200_000;
const STANDARD = 'tag:yaml.org,2002:';

/** Undefined when the text cannot be read; the findings then say why. */
export function readYaml(text: string, file: string, findings: Findings): MapValue | undefined {
  const before = findings.problems.length;
  const lines = new LineCounter();
  // Failsafe leaves every scalar as it is written: what it means is decided by our own rules.
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const start = { file, line: 1, column: 1 };
  const document = documents[0];
  if (document === undefined || document.contents === null) {
    findings.refuse(start, 'SYNTAX', '', 'the file is empty', 'a compose file is a map with `services`');
    return undefined;
  }
  const reader = new Reader(document, file, lines, findings);
  for (const error of document.errors) reader.syntax(error.pos[0], error.code, error.message);
  if (findings.problems.length > before) return undefined;
  const second = documents[1];
  if (second !== undefined) {
    findings.warn(
      reader.at(second.range[0]),
      'IGNORED',
      '',
      'only the first document of a file is read',
      'give the others as files of their own',
    );
  }
  const value = reader.read(document.contents as ParsedNode);
  if (findings.problems.length > before) return undefined;
  if (value.kind === 'map') return value;
  findings.refuse(value.at, 'SYNTAX', '', `a compose file is a map, not ${describeValue(value)}`);
  return undefined;
}

class Reader {
  private count = 0;
  private readonly open = new Set<ParsedNode>();

  constructor(
    private readonly document: Document.Parsed,
    private readonly file: string,
    private readonly lines: LineCounter,
    private readonly findings: Findings,
  ) {}

  at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  syntax(offset: number, code: string, message: string): void {
    const text = code === 'DUPLICATE_KEY' ? 'this key is already given in the same map' : message.replace(/\.$/, '');
    this.findings.refuse(this.at(offset), 'SYNTAX', '', text, HINTS[code]);
  }

  read(node: ParsedNode): SourceValue {
    const at = this.at(node.range[0]);
    this.count += 1;
    if (this.count > MAX_VALUES) return this.refuse(at, `more than ${MAX_VALUES} values, counting what aliases repeat`);
    if (isAlias(node)) {
      const target = node.resolve(this.document) as ParsedNode | undefined;
      if (target === undefined) return this.refuse(at, `no anchor named "${node.source}"`);
      return this.open.has(target) ? this.refuse(at, `anchor "${node.source}" contains itself`) : this.read(target);
    }
    if (isScalar(node)) return { ...this.scalar(node, at), at };
    this.warnOfTag(node.tag, at);
    this.open.add(node);
    const value: SourceValue = isSeq(node)
      ? { kind: 'list', items: (node.items as ParsedNode[]).map((item) => this.read(item)), at }
      : { kind: 'map', entries: this.entries(node as YAMLMap.Parsed), at };
    this.open.delete(node);
    return value;
  }

  /** Merged keys come after the map's own and never replace them; of several merged maps the first wins. */
  private entries(node: YAMLMap.Parsed): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    let merged: ParsedNode | undefined;
    for (const pair of node.items) {
      const key = pair.key as ParsedNode;
      const keyAt = this.at(key.range[0]);
      if (isScalar(key) && key.type === 'PLAIN' && key.value === '<<') {
        merged = pair.value as ParsedNode;
        continue;
      }
      const name = this.keyText(key, keyAt);
      const value = isBlank(pair.value as ParsedNode | null)
        ? ({ kind: 'null', at: keyAt } as const)
        : this.read(pair.value as ParsedNode);
      if (name !== undefined) entries.set(name, { keyAt, value });
    }
    if (merged !== undefined) this.merge(entries, this.read(merged));
    return entries;
  }

  private merge(entries: Map<string, MapEntry>, merged: SourceValue): void {
    for (const source of merged.kind === 'list' ? merged.items : [merged]) {
      if (source.kind !== 'map') {
        this.refuse(source.at, `a merge key (<<) takes a map or a list of maps, not ${describeValue(source)}`);
        continue;
      }
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  private keyText(key: ParsedNode, at: Position): string | undefined {
    const value = this.read(key);
    if (value.kind === 'text') return value.text;
    this.findings.refuse(
      at,
      'SYNTAX',
      '',
      `a key must be text, and this one is ${describeValue(value)}`,
      'put the key in quotes',
    );
    return undefined;
  }

  private scalar(node: YamlScalar.Parsed, at: Position): Scalar | UnknownValue {
    // The source, since the library decodes what is tagged as binary.
    const text = node.source;
    const tag = node.tag;
    if (tag === undefined || tag === '!')
      return node.type === 'PLAIN' && tag === undefined ? this.finite(resolvePlain(text), at) : { kind: 'text', text };
    if (tag === `${STANDARD}binary`) return { kind: 'text', text: Buffer.from(text, 'base64').toString() };
    if (!tag.startsWith(STANDARD)) this.warnOfTag(tag, at);
    if (tag === `${STANDARD}str` || !tag.startsWith(STANDARD)) return { kind: 'text', text };
    const value = resolvePlain(text);
    const wanted = tag.slice(STANDARD.length);
    if (wanted === 'float' && value.kind === 'integer') return { kind: 'float', value: Number(value.value) };
    if (TAG_OF[value.kind] !== wanted) return this.refuse(at, `"${text}" cannot be read as !!${wanted}`);
    return this.finite(value, at);
  }

  private finite(value: Scalar, at: Position): Scalar | UnknownValue {
    return value.kind === 'float' && !Number.isFinite(value.value)
      ? this.refuse(at, 'infinity and not-a-number cannot be used')
      : value;
  }

  private warnOfTag(tag: string | undefined, at: Position): void {
    if (tag === undefined || tag.startsWith(STANDARD)) return;
    this.findings.warn(
      at,
      'IGNORED',
      '',
      `the tag ${tag} has no meaning here and is ignored`,
      'only `docker compose` knows !reset and !override',
    );
  }

  private refuse(at: Position, message: string): UnknownValue {
    this.findings.refuse(at, 'SYNTAX', '', message);
    return { kind: 'unknown', at };
  }
}

/** Nothing after the colon: the key is the place to show. */
function isBlank(node: ParsedNode | null): boolean {
  return node === null || (isScalar(node) && node.tag === undefined && node.type === 'PLAIN' && node.source === '');
}

const TAG_OF: Readonly<Record<Scalar['kind'], string>> = {
  text: 'str',
  integer: 'int',
  float: 'float',
  flag: 'bool',
  time: 'timestamp',
  null: 'null',
};

const HINTS: Readonly<Record<string, string | undefined>> = {
  DUPLICATE_KEY: 'keep one of the two',
  BLOCK_AS_IMPLICIT_KEY: 'text that contains ": " must stand in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key is missing its ":", or text that goes on in the next line needs quotes',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'keys of one map start in the same column',
};
