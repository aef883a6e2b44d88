/** Servers that are started behind the target, a gateway, and how it is told of them. */
import { keyPositionOf, type MapNode, type Path, positionOf } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import { expandVariables } from '../grammar/variables.js';
import type { ScenarioSource, TargetSource } from '../keys/scenario-schema.js';
import type { UpstreamPlan, UpstreamsPlan } from '../plan.js';
import type { ProblemCode, ReportProblem } from '../source-part.js';
import { checkHeader } from './headers.js';
import type { TargetRequest } from './target.js';
import { checkUrl } from './target-url.js';

const TIMEOUT_MS = 60_000;

type CallSource = Exclude<NonNullable<TargetSource['prepare']>, readonly string[]>;
type Refuse = (path: Path, code: ProblemCode, message: string, hint?: string) => void;

/**
 * @param node the scenario, for places in it
 * @returns undefined where there are none, or something is wrong with them, which is reported
 */
export function resolveUpstreams(
  { target: source, arms }: Partial<ScenarioSource>,
  node: MapNode,
  request: TargetRequest & { readonly arms: readonly unknown[] },
  report: ReportProblem,
): UpstreamsPlan | undefined {
  const { upstreams, prepare } = source ?? {};
  const refuse: Refuse = (keys, code, message, hint) => {
    const path = ['target', ...keys];
    const at = keys.length === 1 ? keyPositionOf(node, path) : positionOf(node, path);
    report(problemAt(at, code, path.join('.'), message, hint));
  };
  if (upstreams === undefined) {
    for (const key of ['prepare', 'prepareTimeout'] as const)
      if (source?.[key] !== undefined)
        refuse([key], 'CONFLICT', 'there are no servers to tell a gateway of', 'say how many: target.upstreams: 5');
    return undefined;
  }
  if (prepare === undefined) {
    const hint = 'a command (prepare: [node, register.js]) or an HTTP call (prepare: { url: ... })';
    refuse(['upstreams'], 'MISSING_KEY', 'nothing tells the gateway of these servers', hint);
    return undefined;
  }
  const namesUrl = typeof source?.server === 'object' && source.server.url !== undefined;
  if (!namesUrl && request.targets.length === 0 && request.configured?.url === undefined) {
    const hint = 'name its URL: server: { url: http://localhost:3000/mcp }, or --target';
    refuse(['upstreams'], 'CONFLICT', 'these servers stand behind a gateway, and the target is none', hint);
    return undefined;
  }
  if (arms !== undefined || request.arms.length > 0) {
    const hint = 'run the scenario once for each gateway, and compare the runs';
    refuse(['upstreams'], 'CONFLICT', 'only one gateway is told of its servers, and arms are several', hint);
    return undefined;
  }
  const resolved = Array.isArray(prepare)
    ? commandOf(prepare, request, refuse)
    : callOf(prepare, node, request, report, refuse);
  if (resolved === undefined) return undefined;
  return { servers: serversOf(upstreams), prepare: resolved, timeoutMs: source?.prepareTimeout ?? TIMEOUT_MS };
}

const USUAL_TOOLS = 5;

function serversOf(source: NonNullable<TargetSource['upstreams']>): readonly UpstreamPlan[] {
  const { count, tools, ...sizes } = typeof source === 'number' ? { count: source, tools: USUAL_TOOLS } : source;
  const inTurn = (value: number | readonly number[], index: number): number =>
    typeof value === 'number' ? value : (value[index % value.length] ?? 0);
  return Array.from({ length: count }, (_, index) => ({
    name: `upstream${index + 1}`,
    tools: inTurn(tools, index),
    ...Object.fromEntries(
      Object.entries(sizes).flatMap(([key, value]) => (value === undefined ? [] : [[key, inTurn(value, index)]])),
    ),
  }));
}

function commandOf(
  command: readonly string[],
  { secrets }: TargetRequest,
  refuse: Refuse,
): UpstreamsPlan['prepare'] | undefined {
  if (secrets.from !== 'request') return { kind: 'command', command };
  const message = 'a controller starts no commands: only the command line of the machine itself does';
  refuse(['prepare'], 'CONFLICT', message, 'use an HTTP call, or swarmbench run SCENARIO on that machine');
  return undefined;
}

function callOf(
  { url, method, headers, body }: CallSource,
  node: MapNode,
  { env, allowTargets }: TargetRequest,
  report: ReportProblem,
  refuse: Refuse,
): UpstreamsPlan['prepare'] | undefined {
  let ok = true;
  const wrong: Refuse = (path, ...problem) => {
    ok = false;
    refuse(['prepare', ...path], ...problem);
  };
  const expand = (text: string, path: Path): string => {
    for (const [written, name = ''] of text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g))
      if (!['name', 'url', 'upstreams'].includes(name))
        wrong(path, 'INVALID_VALUE', `\`${written}\` is not known here`, '{{ name }}, {{ url }} or {{ upstreams }}');
    const expanded = expandVariables(text, { env });
    if (expanded.ok) return expanded.text;
    for (const { code, message, hint } of expanded.problems) wrong(path, code, message, hint);
    return text;
  };
  const expandAll = (value: unknown): unknown => {
    if (typeof value === 'string') return expand(value, ['body']);
    if (Array.isArray(value)) return value.map(expandAll);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expandAll(inner)]));
  };
  const expandedUrl = expand(url, ['url']);
  const at = positionOf(node, ['target', 'prepare', 'url']);
  // A placeholder stands for a part of the path or the query.
  const sample = expandedUrl.replaceAll(/\{\{[^{}]*\}\}/g, 'x');
  if (checkUrl({ text: sample, at, path: 'target.prepare.url' }, allowTargets, report) === undefined) return undefined;
  if (!/^https?:/.test(sample))
    wrong(['url'], 'CONFLICT', 'a gateway is told over http or https', 'such as http://localhost:3000/servers');
  const sent = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const text = expand(value, ['headers', name]);
      const problem = name.toLowerCase() === 'content-type' ? undefined : checkHeader(name, text);
      if (problem !== undefined) wrong(['headers', name], problem.code, problem.message, problem.hint);
      return [name, text];
    }),
  );
  if (method === 'GET' && body !== undefined) wrong(['body'], 'CONFLICT', 'a GET has no body', 'use method: POST');
  const filled = body === undefined ? {} : { body: expandAll(body) };
  return ok ? { kind: 'call', url: expandedUrl, method, headers: sent, ...filled } : undefined;
}
