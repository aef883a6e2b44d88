/** `--set path=value`: overrides values of a scenario. Problems with them are placed on the command line. */
import { suggest } from '../yaml/nearest.js';
import { emptyMap, kindOf, type ListNode, type MapNode, type SourceNode, scalarNode, withEntry } from '../yaml/node.js';
import { parseYaml } from '../yaml/parse-yaml.js';
import { type Position, problemAt } from '../yaml/problem.js';
import { nameOf, type Problem } from './source-part.js';

export interface Override {
  readonly segments: readonly Segment[];
  readonly value: SourceNode;
}

interface Segment {
  readonly key: string;
  readonly at: Position;
}

type Applied<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The value is YAML, such as `{ from: 0%, to: 100% }`. Problems name only the path, because a value may be secret. */
export function parseOverride(written: string): Applied<Override> {
  const equals = written.indexOf('=');
  const path = equals === -1 ? written : written.slice(0, equals);
  const origin: Position = { file: `--set ${path}`, line: 1, column: 1 };
  if (equals < 1 || path.split('.').includes('')) {
    const hint = 'write PATH=VALUE, such as --set stages.peak.duration=30s';
    return failed(problemAt(origin, 'SYNTAX', path, 'an override has a path and a value', hint));
  }
  const { node, problems } = parseYaml(written.slice(equals + 1), { ...origin, column: equals + 2 });
  if (problems.length > 0) return { ok: false, problems };
  const value = node ?? scalarNode(null, { ...origin, column: equals + 2 });
  let column = 1;
  const segments = path.split('.').map((key) => {
    const segment = { key, at: { ...origin, column } };
    column += key.length + 1;
    return segment;
  });
  return { ok: true, value: { segments, value } };
}

/** A copy of `root` with the value in its place. Missing maps on the path are made; names in lists must exist. */
export function applyOverride(root: MapNode, override: Override): Applied<MapNode> {
  const result = put(root, override, 0);
  if (!result.ok) return result;
  return result.value.kind === 'map' ? { ok: true, value: result.value } : { ok: true, value: root };
}

function put(node: SourceNode, override: Override, depth: number): Applied<SourceNode> {
  const segment = override.segments[depth];
  if (segment === undefined) return { ok: true, value: override.value };
  if (node.kind === 'list') return putItem(node, segment, override, depth);
  const map = node.kind === 'scalar' && node.value === null ? emptyMap(node.at) : node;
  if (map.kind !== 'map') {
    const parent = override.segments[depth - 1]?.key ?? '';
    const hint = `set all of it: --set ${pathTo(override, depth)}={...}`;
    return failed(
      problemAt(
        segment.at,
        'CONFLICT',
        pathTo(override, depth + 1),
        `\`${parent}\` is ${kindOf(map)} here and has no \`${segment.key}\``,
        hint,
      ),
    );
  }
  const inner = put(map.entries.get(segment.key)?.node ?? emptyMap(segment.at), override, depth + 1);
  if (!inner.ok) return inner;
  return { ok: true, value: withEntry(map, segment.key, { keyAt: segment.at, node: inner.value }) };
}

function putItem(list: ListNode, segment: Segment, override: Override, depth: number): Applied<SourceNode> {
  const names = list.items.map((item, index) => nameOf(item) ?? String(index));
  const named = names.indexOf(segment.key);
  const index = named === -1 && /^\d+$/.test(segment.key) ? Number(segment.key) : named;
  const item = list.items[index];
  if (item === undefined) {
    const what = override.segments[depth - 1]?.key ?? 'items';
    return failed(
      problemAt(
        segment.at,
        'NOT_FOUND',
        pathTo(override, depth + 1),
        `no item \`${segment.key}\` in \`${what}\``,
        suggest(segment.key, names, what),
      ),
    );
  }
  const inner = put(item, override, depth + 1);
  return inner.ok ? { ok: true, value: { ...list, items: list.items.with(index, inner.value) } } : inner;
}

function pathTo(override: Override, depth: number): string {
  return override.segments
    .slice(0, depth)
    .map((segment) => segment.key)
    .join('.');
}

function failed(problem: Problem): Applied<never> {
  return { ok: false, problems: [problem] };
}
