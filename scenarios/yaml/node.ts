/**
 * Values that remember where they were written. Profiles, workload overrides and `--set` are merged on these trees, so
 * that a wrong value is reported at the place that set it, whichever of them that was.
 */
import type { Position } from './problem.js';

export type SourceNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  /** The meaning of the text in YAML's core schema. */
  readonly value: string | number | boolean | null;
  /** The text without quotes and escapes, before it gets a meaning. */
  readonly source: string;
  /** Neither quoted nor a block. */
  readonly plain: boolean;
  /** The full name, such as `tag:yaml.org,2002:str` for `!!str`. */
  readonly tag?: string | undefined;
  readonly at: Position;
  /**
   * Column of the value's first character when it stands on one line exactly as read (quotes excluded): places errors
   * inside it.
   */
  readonly textColumn: number | undefined;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly SourceNode[];
  readonly tag?: string | undefined;
  readonly at: Position;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly tag?: string | undefined;
  readonly at: Position;
}

export interface MapEntry {
  readonly keyAt: Position;
  readonly node: SourceNode;
}

export type Path = readonly (string | number)[];

/** A value that is not written as YAML anywhere. */
export function scalarNode(value: string | null, at: Position): ScalarNode {
  return { kind: 'scalar', value, source: value ?? '', plain: true, at, textColumn: undefined };
}

export function emptyMap(at: Position): MapNode {
  return { kind: 'map', entries: new Map(), at };
}

/** The node as messages name it. */
export function kindOf(node: SourceNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.value === null) return 'nothing';
  return `${typeof node.value === 'string' ? 'text' : typeof node.value} \`${shortened(String(node.value))}\``;
}

/** What somebody wrote, as a message quotes it. */
export function shortened(written: string): string {
  return written.length <= 200 ? written : `${written.slice(0, 200)}... (${written.length} characters)`;
}

export function toValue(node: SourceNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toValue);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.node)]));
  }
}

export function child(node: SourceNode | undefined, key: string | number): SourceNode | undefined {
  if (node?.kind === 'map') return node.entries.get(String(key))?.node;
  if (node?.kind === 'list' && typeof key === 'number') return node.items[key];
  return undefined;
}

export function descend(node: SourceNode | undefined, path: Path): SourceNode | undefined {
  return path.reduce<SourceNode | undefined>(child, node);
}

/** Where the value at `path` stands, or where the deepest part of the path that exists does. */
export function positionOf(root: SourceNode, path: Path): Position {
  let node = root;
  for (const key of path) {
    const next = child(node, key);
    if (next === undefined) break;
    node = next;
  }
  return node.at;
}

/** Where the key at the end of `path` stands; a list item's own position; else as `positionOf`. */
export function keyPositionOf(root: SourceNode, path: Path): Position {
  const parent = descend(root, path.slice(0, -1));
  const key = path.at(-1);
  if (parent?.kind === 'map' && key !== undefined) {
    const entry = parent.entries.get(String(key));
    if (entry !== undefined) return entry.keyAt;
  }
  return positionOf(root, path);
}

/** Place of the character at `offset` of a text value. */
export function positionInside(node: SourceNode, offset: number): Position {
  if (node.kind !== 'scalar' || node.textColumn === undefined) return node.at;
  return { ...node.at, column: node.textColumn + offset };
}

export function withEntry(map: MapNode, key: string, entry: MapEntry): MapNode {
  return { ...map, entries: new Map([...map.entries, [key, entry]]) };
}

export function withoutEntry(map: MapNode, key: string): MapNode {
  return { ...map, entries: new Map([...map.entries].filter(([name]) => name !== key)) };
}
