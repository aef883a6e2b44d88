/** Keys and values that have their place in the files but are not built yet. Refused by name, never ignored. */

import { descend, kindOf, type MapNode, type Path, type SourceNode, toValue } from '../../yaml/node.js';
import { type Problem, problemAt } from '../../yaml/problem.js';
import { FAULT_KINDS } from '../faults/fault-kinds.js';
import { pathText } from '../source-part.js';

interface Refusal {
  /** `*` stands for any item or name. */
  readonly path: readonly string[];
  /** Whether this value is refused; absent: any value is. */
  readonly refuses?: (value: unknown) => boolean;
  readonly what: string;
  readonly instead: string;
}

const scenarioRefusals: readonly Refusal[] = [
  {
    path: ['faults', '*', 'kind'],
    refuses: (value) => value !== 'scale' && FAULT_KINDS.some((kind) => kind === value),
    what: 'this kind of fault is',
    instead: "kind: scale is; a target that fails can be had with the reference server's `fail` tool",
  },
  { path: ['faults', '*', 'replica'], what: 'choosing a replica is', instead: 'name the service' },
  { path: ['faults', '*', 'node'], what: 'choosing a node is', instead: 'name the service' },
  { path: ['faults', '*', 'fraction'], what: 'choosing a share of the replicas is', instead: 'name the service' },
];

export function refuseInScenario(scenario: MapNode): readonly Problem[] {
  return scenarioRefusals.flatMap((refusal) => find(scenario, refusal));
}

function find(root: MapNode, refusal: Refusal): readonly Problem[] {
  return matches(root, refusal.path, []).flatMap((path) => {
    const found = descend(root, path);
    if (found === undefined || refusal.refuses?.(toValue(found)) === false) return [];
    const parent = descend(root, path.slice(0, -1));
    const key = String(path.at(-1));
    const at = (parent?.kind === 'map' ? parent.entries.get(key)?.keyAt : undefined) ?? found.at;
    const shown = refusal.refuses === undefined || found.kind !== 'scalar' ? '' : ` (${kindOf(found)})`;
    const where = pathText(root, path);
    return [problemAt(at, 'NOT_BUILT', where, `\`${where}\`${shown}: ${refusal.what} not built yet`, refusal.instead)];
  });
}

function matches(node: SourceNode | undefined, pattern: readonly string[], path: Path): readonly Path[] {
  const [key, ...rest] = pattern;
  if (key === undefined) return [path];
  if (node?.kind === 'list' && key === '*')
    return node.items.flatMap((item, index) => matches(item, rest, [...path, index]));
  const entry = node?.kind === 'map' ? node.entries.get(key) : undefined;
  return entry === undefined ? [] : matches(entry.node, rest, [...path, key]);
}
