import type { OperationPlan, PreflightPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import { factsOf, type TransportName } from '../../scenarios/schema/transports.js';
import { sessionRules } from '../load/session-rules.js';
import { compileRequest } from '../mcp/compile-request.js';
import type { Failure } from '../measure/failure.js';
import { costOfChildren, processCapacity, processProblem } from '../measure/health/process-capacity.js';
import { endpointsFor, tokenEndpoints } from '../protocol/endpoints.js';
import {
  type Endpoint,
  type Exchange,
  type PinnedProtocol,
  PROTOCOL,
  type PreflightOrder,
  type PreflightResult,
} from '../protocol/messages.js';
import type { SettledOperation } from '../protocol/settled-operation.js';
import { redact } from '../transport/sample.js';
import { type Negotiation, negotiate } from './negotiate.js';
import type { PreflightAnswer, PreflightSessionOptions } from './preflight-session.js';
import { listingFor, ServerCatalogue } from './server-catalogue.js';
import { noTool, settleOperations, textOf } from './settle-operations.js';
import { type StreamAttempt, tryStreams } from './try-streams.js';

/** At most this many tokens of a pool are tried after the first: enough for a pool made by hand. */
const MAX_TOKENS = 99;

interface LoggedOrder extends PreflightOrder {
  /** For the log of the worker. */
  readonly log: (line: string) => void;
}

interface Success {
  readonly ok: true;
  readonly pinned: PinnedProtocol;
  readonly serverInfo: PreflightResult['serverInfo'];
  readonly tools: readonly string[];
  readonly settled: readonly SettledOperation[];
  readonly warnings: readonly string[];
}

interface Refusal {
  readonly ok: false;
  readonly problem: string;
  readonly pinned?: PinnedProtocol;
  readonly tools: readonly string[];
}

/** The part of an outcome that is reported, whether it is a success or not. */
interface Findings {
  readonly pinned?: PinnedProtocol;
  readonly serverInfo?: PreflightResult['serverInfo'];
  readonly tools: readonly string[];
  readonly settled?: readonly SettledOperation[];
  readonly warnings?: readonly string[];
}

/**
 * Tries the target before the load does. At every endpoint it makes a handshake, reads the lists that the mix refers
 * to, and calls each operation of the mix once, drawn from the seed. The result holds all requests and answers, and
 * says what is wrong, if anything.
 */
export async function runPreflight(
  given: PreflightOrder,
  log: (line: string) => void = () => undefined,
): Promise<PreflightResult> {
  const order = { ...given, log };
  return hideSecrets(await tryRoutes(order), [
    ...order.endpoints,
    ...(order.routes ?? []).flatMap(({ endpoints }) => endpoints),
  ]);
}

/** The result is shown and kept, so that no word of it may hold a secret of the target's addresses. */
function hideSecrets(result: PreflightResult, endpoints: readonly Endpoint[]): PreflightResult {
  const hide = (text: string): string => endpoints.reduce((shown, endpoint) => redact(shown, endpoint), text);
  const { problem, exchanges, warnings } = result;
  return {
    ...result,
    exchanges: exchanges.map((exchange) => ({
      ...exchange,
      step: hide(exchange.step),
      request: hide(exchange.request),
      response: hide(exchange.response),
      ...(exchange.problem === undefined ? {} : { problem: hide(exchange.problem) }),
    })),
    ...(problem === undefined ? {} : { problem: hide(problem) }),
    ...(warnings === undefined ? {} : { warnings: warnings.map(hide) }),
  };
}

async function tryRoutes(order: LoggedOrder): Promise<PreflightResult> {
  const { plan, routes } = order;
  if (routes === undefined) return tryRoute(order);
  const results: PreflightResult[] = [];
  for (const { profiles, endpoints, era } of routes) {
    const onRoute = plan.profiles.filter((_, index) => profiles.includes(index));
    const found = await tryRoute({ ...order, endpoints, era, plan: { ...plan, profiles: onRoute } });
    const names = profiles.map((index) => plan.profiles[index]?.name).join(', ');
    results.push({
      ...found,
      exchanges: found.exchanges.map((exchange) => ({ ...exchange, step: `${names}: ${exchange.step}` })),
    });
    if (!found.ok) break;
  }
  return combine(order, results);
}

/** One result for all routes: the first failure, or what all routes found. */
function combine(order: LoggedOrder, results: readonly PreflightResult[]): PreflightResult {
  const [first] = results;
  const last = results.at(-1);
  if (last === undefined) return toResult(order, { tools: [] }, [], 'the order has no route to the target');
  const all = {
    ...last,
    exchanges: results.flatMap(({ exchanges }) => exchanges),
    tools: [...new Set(results.flatMap(({ tools }) => tools))],
  };
  if (!last.ok) return all;
  const settledOperations = results.flatMap((each) => each.settledOperations ?? []);
  const warnings = results.flatMap((each) => each.warnings ?? []);
  return {
    ...all,
    ...(first?.pinned === undefined ? {} : { pinned: first.pinned }),
    ...(first?.serverInfo === undefined ? {} : { serverInfo: first.serverInfo }),
    ...(settledOperations.length === 0 ? {} : { settledOperations }),
    ...(warnings.length === 0 ? {} : { warnings }),
    routes: results.flatMap((each) => each.pinned ?? []),
  };
}

/** Tries all endpoints of one route, in one era. */
async function tryRoute(order: LoggedOrder): Promise<PreflightResult> {
  const exchanges: Exchange[] = [];
  const transports = [...new Set(order.plan.profiles.map(({ transport }) => transport))];
  const targets = transports.flatMap((transport) =>
    endpointsFor(order.endpoints, transport).map((endpoint) => ({ transport, endpoint })),
  );
  const unreachable = transports.find((transport) => !targets.some((target) => target.transport === transport));
  if (unreachable !== undefined) {
    const urls = order.endpoints.map(({ url }) => url).join(', ');
    return toResult(order, { tools: [] }, exchanges, `the target has no endpoint for ${unreachable}: ${urls}`);
  }
  const requestedEra = eraToRequest(order.era, transports);
  const sessions = new Map<TransportName, boolean>();
  let first: Success | undefined;
  for (const [index, { transport, endpoint }] of targets.entries()) {
    const before = exchanges.length;
    // All endpoints must speak what the first one speaks: the era is pinned for the whole run.
    const [withFirstToken = endpoint, ...withOtherTokens] = tokenEndpoints(endpoint);
    const era = first?.pinned.era ?? requestedEra;
    const outcome = await tryEndpoint(order, transport, withFirstToken, era, exchanges);
    if (targets.length > 1)
      label(exchanges, before, `${transports.length > 1 ? `${transport}, ` : ''}endpoint ${index + 1}: `);
    if (!outcome.ok) return toResult(order, outcome, exchanges, `${endpoint.url}: ${outcome.problem}`);
    // Whether there are session ids depends on the transport too; within one, all endpoints must be alike.
    const expected = {
      ...(first?.pinned ?? outcome.pinned),
      sessions: sessions.get(transport) ?? outcome.pinned.sessions,
    };
    const difference = differenceOf(expected, outcome.pinned);
    if (difference !== undefined) {
      const problem = `${endpoint.url} ${difference} All replicas of a target must speak the same protocol.`;
      return toResult(order, outcome, exchanges, problem);
    }
    sessions.set(transport, outcome.pinned.sessions);
    first ??= outcome;
    const tokens = withOtherTokens.slice(0, MAX_TOKENS);
    const refusedToken = await tryTokens(order, transport, tokens, outcome.pinned.era, exchanges);
    if (refusedToken !== undefined) return toResult(order, outcome, exchanges, refusedToken);
  }
  if (first === undefined) return toResult(order, { tools: [] }, exchanges, 'the target has no endpoint');
  return toResult(order, first, exchanges, undefined);
}

/** `auto` leaves no choice if a transport of the run exists in one era only. */
function eraToRequest(era: PreflightOrder['era'], transports: readonly TransportName[]): PreflightOrder['era'] {
  if (era !== 'auto') return era;
  const only = transports.map((transport) => factsOf(transport).eras).find((eras) => eras.length === 1);
  return only?.[0] ?? 'auto';
}

function toResult(
  order: LoggedOrder,
  { pinned, serverInfo, settled = [], warnings = [], tools }: Findings,
  exchanges: Exchange[],
  problem: string | undefined,
): PreflightResult {
  return {
    protocol: PROTOCOL,
    runId: order.runId,
    ok: problem === undefined,
    tools: [...tools],
    exchanges,
    ...(problem === undefined ? {} : { problem }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(serverInfo === undefined ? {} : { serverInfo }),
    ...(settled.length === 0 ? {} : { settledOperations: [...settled] }),
    ...(problem !== undefined || warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}

function label(exchanges: Exchange[], from: number, prefix: string): void {
  for (let index = from; index < exchanges.length; index++) {
    const exchange = exchanges[index];
    if (exchange !== undefined) exchanges[index] = { ...exchange, step: prefix + exchange.step };
  }
}

function differenceOf(expected: PinnedProtocol, found: PinnedProtocol): string | undefined {
  if (expected.version !== found.version)
    return `speaks MCP ${found.version}, but the first endpoint speaks ${expected.version}.`;
  if (expected.sessions === found.sessions) return undefined;
  return found.sessions
    ? 'hands out session ids, but the first endpoint does not.'
    : 'does not hand out session ids, but the first endpoint does.';
}

/** One session, and what is tried over it. */
interface EndpointAttempt extends StreamAttempt {
  readonly catalogue: ServerCatalogue;
  readonly calls: PreflightPlan['calls'];
  /** Receives what the load is likely to meet although the preflight passes. */
  readonly warnings: string[];
}

async function tryEndpoint(
  order: LoggedOrder,
  transport: TransportName,
  endpoint: Endpoint,
  era: PreflightOrder['era'],
  exchanges: Exchange[],
): Promise<Success | Refusal> {
  let negotiation: Negotiation;
  try {
    negotiation = await negotiate(endpoint, era, { transport, ...limitsOf(order) });
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error), tools: [] };
  }
  const { session } = negotiation;
  try {
    if (!negotiation.ok) return { ok: false, problem: negotiation.problem, tools: [] };
    const { pinned } = negotiation;
    const isOverHttp = (factsOf(transport).wireTransport ?? transport) === 'streamable-http';
    const attempt: EndpointAttempt = {
      session,
      transport,
      endpoint,
      pinned,
      seed: order.plan.seed,
      profiles: order.plan.profiles.filter((profile) => profile.transport === transport),
      timeoutMs: order.plan.preflight.timeoutMs,
      catalogue: new ServerCatalogue(isOverHttp && pinned.era === 'modern'),
      calls: order.plan.preflight.calls,
      warnings: [],
    };
    const settled: SettledOperation[] = [];
    const problem =
      (await fillCatalogue(attempt)) ??
      (await callEach(attempt, settled)) ??
      tooManyProcesses(transport, attempt.profiles) ??
      (await tryStreams(attempt));
    const tools = attempt.catalogue.names('tools/list');
    if (problem !== undefined) return { ok: false, problem, pinned, tools };
    return { ok: true, pinned, serverInfo: negotiation.serverInfo, tools, settled, warnings: attempt.warnings };
  } finally {
    if (negotiation.ok) await session.close();
    exchanges.push(...session.exchanges);
  }
}

function limitsOf({ plan, log }: LoggedOrder): Pick<PreflightSessionOptions, 'timeoutMs' | 'answerBytes' | 'log'> {
  return { timeoutMs: plan.preflight.timeoutMs, answerBytes: plan.limits.answerBytes, log };
}

/** To be called while the server process that was tried still runs: all processes will cost what this one costs. */
function tooManyProcesses(transport: TransportName, profiles: readonly ProfilePlan[]): string | undefined {
  if (transport !== 'stdio') return undefined;
  const sessions = profiles.map((profile) =>
    profile.session.mode === 'pool'
      ? Math.min(profile.session.size, profile.clients)
      : profile.clients * sessionRules(profile).sessionSlots,
  );
  return processProblem(
    sessions.reduce((sum, count) => sum + count, 0),
    costOfChildren(),
    processCapacity(),
  );
}

/** Opens a session with each token: one bad token of a pool would make only some clients fail. */
async function tryTokens(
  order: LoggedOrder,
  transport: TransportName,
  endpoints: readonly Endpoint[],
  era: PreflightOrder['era'],
  exchanges: Exchange[],
): Promise<string | undefined> {
  for (const [index, endpoint] of endpoints.entries()) {
    const before = exchanges.length;
    const negotiation = await negotiate(endpoint, era, { transport, ...limitsOf(order) });
    exchanges.push(...negotiation.session.exchanges);
    label(exchanges, before, `token ${index + 2}: `);
    if (!negotiation.ok) return `token ${index + 2} of the target's tokens: ${negotiation.problem}`;
    await negotiation.session.close();
  }
  return undefined;
}

/** Reads the lists in which the operations of the mix must appear. */
async function fillCatalogue({ session, profiles, catalogue }: EndpointAttempt): Promise<string | undefined> {
  const listings = new Set(
    profiles.flatMap((profile) => profile.operations.map((operation) => listingFor(operation.method))),
  );
  for (const listing of listings) {
    if (listing === undefined) continue;
    const problem = await catalogue.fill(session, listing);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Calls each operation of the mix once. @param settled receives what the load needs to know of it */
async function callEach(attempt: EndpointAttempt, settled: SettledOperation[]): Promise<string | undefined> {
  const { session, seed, profiles, pinned, catalogue } = attempt;
  for (const { name, operations } of profiles) {
    if (pinned.era === 'modern' && operations.some(({ method }) => method === 'ping'))
      return (
        `profile ${name}: \`ping\` does not exist in the stateless era (MCP ${pinned.version}) that this server ` +
        'speaks. Remove it from the mix, or set `era: legacy`.'
      );
  }
  const { calls, problems, everyTool } = settleOperations(profiles, catalogue);
  if (problems.length > 0) return problems.join('\n');
  for (const [index, { profile, operation, settled: told, mix }] of calls.entries()) {
    if (attempt.calls === 'skip') {
      if (told !== undefined) settled.push(told);
      mix?.called.push(operation.name);
      continue;
    }
    const answer = await session.operation(
      compileRequest(operation, index, pinned),
      { seed, slot: profile.firstSlot, sequence: 0 },
      `${operation.method} ${operation.target ?? ''}`.trim(),
      Math.max(attempt.timeoutMs, profile.timeoutMs),
    );
    const { failure } = answer;
    if (failure === undefined) {
      if (told !== undefined) settled.push(told);
      mix?.called.push(operation.name);
    } else if (mix === undefined && attempt.calls === 'warn') {
      if (told !== undefined) settled.push(told);
      const where = `profile ${profile.name}, operation ${operation.name}`;
      attempt.warnings.push(`${where}: its trial call failed with ${failure.category}: ${failure.detail}`);
    } else if (mix === undefined) {
      return `profile ${profile.name}, operation ${operation.name}: ${failedCall(operation, answer)}`;
    } else {
      // The record shows the answer, and the load goes on without this tool.
      session.markLastExpected();
      const why = `its trial call failed with ${failure.category}: ${failure.detail}`;
      mix.leftOut.push({ tool: operation.name, why });
    }
  }
  for (const mix of everyTool) {
    if (mix.called.length === 0) return noTool(mix);
    session.exchanges.push({
      step: `profile ${mix.profile}, tools: auto`,
      request: '(which tools of the server are called)',
      response: mix.called.join(', '),
      durationMs: 0,
      ok: true,
      problem: textOf(mix),
    });
  }
  return undefined;
}

function failedCall(operation: OperationPlan, { failure, requestText, responseText }: PreflightAnswer): string {
  const remedy = `${remedyOf(failure)} If it is meant to fail, or fails now and then: --set preflight.calls=warn.`;
  return (
    `the trial call of ${operation.method} failed with ${failure?.category ?? 'no answer'}: ` +
    `${failure?.detail ?? ''}. ${remedy}\n--- request\n${requestText}\n--- answer\n${responseText}`
  );
}

function remedyOf(failure: Failure | undefined): string {
  switch (failure?.category) {
    case 'tool_error':
    case 'rpc_-32602':
      return 'Check its arguments in the scenario.';
    case 'timeout':
      return 'Give it more time: `timeout` of the profile, or `preflight.timeout`.';
    default:
      return 'The load would get the same answer.';
  }
}
