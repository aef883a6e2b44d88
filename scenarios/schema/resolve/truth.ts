/** Where the server behind the target says how much it has answered. */
import { type MapNode, positionOf } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import { parseJsonPath } from '../grammar/json-path.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import type { TruthPlan } from '../plan.js';
import type { ReportProblem } from '../source-part.js';
import { checkUrl } from './target-url.js';

/**
 * @param node the scenario, for places in it
 * @param allowed hosts outside private networks that may be asked
 * @returns undefined where there is none, or something is wrong with it, which is reported
 */
export function resolveTruth(
  source: TargetSource['truth'],
  node: MapNode,
  allowed: readonly string[],
  report: ReportProblem,
): TruthPlan | undefined {
  if (source === undefined) return undefined;
  const { query, label, jsonPath } = source;
  const refuse = (key: string, message: string, hint: string): undefined => {
    report(problemAt(positionOf(node, ['target', 'truth', key]), 'CONFLICT', `target.truth.${key}`, message, hint));
  };
  const at = positionOf(node, ['target', 'truth', 'url']);
  const url = checkUrl({ text: source.url, at, path: 'target.truth.url' }, allowed, report);
  if (url === undefined) return undefined;
  if (!/^https?:/.test(url)) return refuse('url', 'counts are read over http', 'such as http://localhost:3000/stats');
  if (query !== undefined && jsonPath !== undefined)
    return refuse('jsonPath', 'a Prometheus query has its own result', 'use `query` or `jsonPath`');
  if (query === undefined && label !== undefined)
    return refuse('label', 'there is no `query` whose result has labels', 'remove it, or give a `query`');
  const parsed = jsonPath === undefined ? undefined : parseJsonPath(jsonPath);
  if (parsed !== undefined && !parsed.ok) return refuse('jsonPath', parsed.problem, 'such as $.requests.total');
  return {
    url,
    ...(parsed === undefined ? {} : { jsonPath: parsed.path }),
    ...(query === undefined ? {} : { query }),
    ...(label === undefined ? {} : { label }),
  };
}
