import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { Findings } from '../findings.js';
import type { ReadFile } from '../load/read.js';
import type { ComposeModel } from '../model.js';

/** All that conversion needs besides the object to convert. */
export interface ConvertContext {
  readonly stack: string;
  readonly model: ComposeModel;
  readonly readFile: ReadFile;
  readonly findings: Findings;
}

/** Refuses to use an object that no file defines. */
export function refuseUndefined(
  kind: 'networks' | 'volumes' | 'configs' | 'secrets',
  key: string,
  at: Position,
  path: string,
  { model, findings }: ConvertContext,
): void {
  const known = model[kind];
  const definition = kind === 'networks' || kind === 'volumes' ? '{}' : '{ file: ... }';
  const hint = known.size === 0 ? `add it: ${kind}: { ${key}: ${definition} }` : `the ${kind} are ${listed(known)}`;
  findings.refuse(at, 'UNDEFINED', path, `the ${kind.slice(0, -1)} "${key}" is not defined`, hint);
}

/** Otherwise each problem in a file with thousands of names would repeat them all. */
const SHOWN_NAMES = 20;

function listed(known: ReadonlyMap<string, unknown>): string {
  const shown: string[] = [];
  for (const name of known.keys()) {
    if (shown.length === SHOWN_NAMES) return `${shown.join(', ')} and ${known.size - shown.length} more`;
    shown.push(name);
  }
  return shown.join(', ');
}
