import type { HeaderPlan, OperationPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import { factsOf, type TransportName } from '../../scenarios/schema/transports.js';
import { sessionRules } from '../load/session-rules.js';
import { compileRequest } from '../mcp/compile-request.js';
import { costOfChildren, processCapacity, processProblem } from '../measure/process-capacity.js';
import { endpointsFor, tokenEndpoints } from '../protocol/endpoints.js';
import {
  type Endpoint,
  type Exchange,
  type PinnedProtocol,
  PROTOCOL,
  type PreflightOrder,
  type PreflightResult,
} from '../protocol/messages.js';
import { type SettledOperation, withArguments } from '../protocol/settled-operation.js';
import { type Negotiation, negotiate } from './negotiate.js';
import type { PreflightAnswer, PreflightSession } from './preflight-session.js';
import { listingFor, ServerCatalogue } from './server-catalogue.js';
import { tryStreams } from './try-streams.js';

const TIMEOUT_MS = 10_000;
/** Tokens beyond the first that are tried: enough for a pool made by hand. */
const MOST_TOKENS = 99;

type Outcome =
  | {
      readonly ok: true;
      readonly pinned: PinnedProtocol;
      readonly serverInfo: PreflightResult['serverInfo'];
      readonly tools: readonly string[];
      readonly settled: readonly SettledOperation[];
    }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly pinned?: PinnedProtocol;
      readonly tools: readonly string[];
    };

/**
 * Tries the target before the load does: at every endpoint a handshake, the lists that the mix refers to, and one call
 * of each operation of the mix, drawn from the seed. All requests and answers are in the result, the refusals in words.
 */
export async function runPreflight(order: PreflightOrder): Promise<PreflightResult> {
  if (order.routes === undefined) return tryRoute(order);
  const results: PreflightResult[] = [];
  for (const { profiles, endpoints, era } of order.routes) {
    const { plan } = order;
    const found = await tryRoute({
      ...order,
      endpoints,
      era,
      plan: { ...plan, profiles: plan.profiles.filter((_, index) => profiles.includes(index)) },
    });
    const exchanges = found.exchanges.map((exchange) => ({
      ...exchange,
      step: `${profiles.map((index) => plan.profiles[index]?.name).join(', ')}: ${exchange.step}`,
    }));
    results.push({ ...found, exchanges });
    if (!found.ok) break;
  }
  const last = results.at(-1);
  if (last === undefined) return result(order, { tools: [] }, [], 'the order names no route to the target');
  const all = {
    ...last,
    exchanges: results.flatMap(({ exchanges }) => exchanges),
    tools: [...new Set(results.flatMap(({ tools }) => tools))],
  };
  if (!last.ok) return all;
  const pinned = results.flatMap((each) => each.pinned ?? []);
  const [first] = results;
  const settledOperations = results.flatMap((each) => each.settledOperations ?? []);
  return {
    ...all,
    ...(first?.pinned === undefined ? {} : { pinned: first.pinned }),
    ...(first?.serverInfo === undefined ? {} : { serverInfo: first.serverInfo }),
    ...(settledOperations.length === 0 ? {} : { settledOperations }),
    routes: pinned,
  };
}

/** All endpoints of one route, in one era. */
async function tryRoute(order: PreflightOrder): Promise<PreflightResult> {
  const exchanges: Exchange[] = [];
  let first: Extract<Outcome, { ok: true }> | undefined;
  const used = [...new Set(order.plan.profiles.map(({ transport }) => transport))];
  const places = used.flatMap((transport) =>
    endpointsFor(order.endpoints, transport).map((endpoint) => ({ transport, endpoint })),
  );
  const unreachable = used.find((transport) => !places.some((place) => place.transport === transport));
  if (unreachable !== undefined)
    return result(
      order,
      { tools: [] },
      exchanges,
      `the target has no endpoint for ${unreachable}: ${order.endpoints.map(({ url }) => url).join(', ')}`,
    );
  const asked = eraToAsk(order.era, used);
  const sessions = new Map<TransportName, boolean>();
  for (const [number, { transport, endpoint }] of places.entries()) {
    const before = exchanges.length;
    // What the first endpoint speaks all must speak: the era is pinned for the whole run.
    const [spoken = endpoint, ...others] = tokenEndpoints(endpoint);
    const outcome = await tryEndpoint(order, transport, spoken, first?.pinned.era ?? asked, exchanges);
    if (places.length > 1)
      label(exchanges, before, used.length > 1 ? `${transport}, endpoint ${number + 1}: ` : `endpoint ${number + 1}: `);
    if (!outcome.ok) return result(order, outcome, exchanges, `${endpoint.url}: ${outcome.problem}`);
    // Whether there are session ids depends on the transport too; within one, all endpoints must be alike.
    const expected = {
      ...(first?.pinned ?? outcome.pinned),
      sessions: sessions.get(transport) ?? outcome.pinned.sessions,
    };
    const odd = difference(expected, outcome.pinned);
    if (odd !== undefined)
      return result(order, outcome, exchanges, `${endpoint.url} ${odd} Replicas of one target must speak alike.`);
    sessions.set(transport, outcome.pinned.sessions);
    first ??= outcome;
    const refusedToken = await tryTokens(transport, others.slice(0, MOST_TOKENS), outcome.pinned.era, exchanges);
    if (refusedToken !== undefined) return result(order, outcome, exchanges, refusedToken);
  }
  if (first === undefined) return result(order, { tools: [] }, exchanges, 'the target has no endpoint');
  return result(order, first, exchanges, undefined);
}

/** `auto` is not free where a transport of the run knows one era only. */
function eraToAsk(era: PreflightOrder['era'], used: readonly TransportName[]): PreflightOrder['era'] {
  if (era !== 'auto') return era;
  const only = used.map((transport) => factsOf(transport).eras).find((eras) => eras.length === 1);
  return only?.[0] ?? 'auto';
}

function result(
  order: PreflightOrder,
  found: Partial<Extract<Outcome, { ok: true }>> | Outcome,
  exchanges: Exchange[],
  problem: string | undefined,
): PreflightResult {
  const serverInfo = 'serverInfo' in found ? found.serverInfo : undefined;
  return {
    protocol: PROTOCOL,
    runId: order.runId,
    ok: problem === undefined,
    tools: [...(found.tools ?? [])],
    exchanges,
    ...(problem === undefined ? {} : { problem }),
    ...(found.pinned === undefined ? {} : { pinned: found.pinned }),
    ...(serverInfo === undefined ? {} : { serverInfo }),
    ...('settled' in found && found.settled !== undefined && found.settled.length > 0
      ? { settledOperations: [...found.settled] }
      : {}),
  };
}

function label(exchanges: Exchange[], from: number, prefix: string): void {
  for (let index = from; index < exchanges.length; index++) {
    const exchange = exchanges[index];
    if (exchange !== undefined) exchanges[index] = { ...exchange, step: prefix + exchange.step };
  }
}

function difference(expected: PinnedProtocol, found: PinnedProtocol): string | undefined {
  if (expected.version !== found.version) return `speaks MCP ${found.version}, the first endpoint ${expected.version}.`;
  if (expected.sessions !== found.sessions)
    return `${found.sessions ? 'hands out' : 'does not hand out'} session ids, the first endpoint ${expected.sessions ? 'does' : 'does not'}.`;
  return undefined;
}

async function tryEndpoint(
  order: PreflightOrder,
  transport: TransportName,
  endpoint: Endpoint,
  era: PreflightOrder['era'],
  exchanges: Exchange[],
): Promise<Outcome> {
  const profiles = order.plan.profiles.filter((profile) => profile.transport === transport);
  let negotiation: Negotiation;
  try {
    negotiation = await negotiate(endpoint, era, { transport, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error), tools: [] };
  }
  const { session } = negotiation;
  try {
    if (!negotiation.ok) return { ok: false, problem: negotiation.problem, tools: [] };
    const { pinned } = negotiation;
    const catalogue = new ServerCatalogue(
      (factsOf(transport).wireTransport ?? transport) === 'streamable-http' && pinned.era === 'modern',
    );
    const settled: SettledOperation[] = [];
    const problem =
      (await list(session, profiles, catalogue)) ??
      (await callEach(session, order.plan.seed, profiles, pinned, catalogue, settled)) ??
      tooManyProcesses(transport, profiles) ??
      (await tryStreams(session, transport, endpoint, order.plan.seed, profiles, pinned, TIMEOUT_MS));
    const tools = catalogue.names('tools/list');
    if (problem !== undefined) return { ok: false, problem, pinned, tools };
    return { ok: true, pinned, serverInfo: negotiation.serverInfo, tools, settled };
  } finally {
    if (negotiation.ok) await session.close();
    exchanges.push(...session.exchanges);
  }
}

/** While the one that was tried still runs: what it takes, all will take. */
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

/** One bad token of a pool would be the failure of some clients only: each has to open a session. */
async function tryTokens(
  transport: TransportName,
  endpoints: readonly Endpoint[],
  era: PreflightOrder['era'],
  exchanges: Exchange[],
): Promise<string | undefined> {
  for (const [index, endpoint] of endpoints.entries()) {
    const before = exchanges.length;
    const negotiation = await negotiate(endpoint, era, { transport, timeoutMs: TIMEOUT_MS });
    exchanges.push(...negotiation.session.exchanges);
    label(exchanges, before, `token ${index + 2}: `);
    if (!negotiation.ok) return `token ${index + 2} of the target's tokens: ${negotiation.problem}`;
    await negotiation.session.close();
  }
  return undefined;
}

/** Reads the lists that hold what the mix names. */
async function list(
  session: PreflightSession,
  profiles: readonly ProfilePlan[],
  catalogue: ServerCatalogue,
): Promise<string | undefined> {
  const wanted = new Set(
    profiles.flatMap((profile) => profile.operations.map((operation) => listingFor(operation.method))),
  );
  for (const listing of wanted) {
    if (listing === undefined) continue;
    const problem = await catalogue.fill(session, listing);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function callEach(
  session: PreflightSession,
  seed: number,
  profiles: readonly ProfilePlan[],
  pinned: PinnedProtocol,
  catalogue: ServerCatalogue,
  settled: SettledOperation[],
): Promise<string | undefined> {
  for (const profile of profiles) {
    for (const [index, operation] of profile.operations.entries()) {
      const where = `profile ${profile.name}, operation ${operation.name}`;
      if (operation.method === 'ping' && pinned.era === 'modern') {
        return `${where}: \`ping\` does not exist in the stateless era (MCP ${pinned.version}) that this server speaks. Take it out of the mix, or ask for \`era: legacy\`.`;
      }
      // With its stream: `tryStreams`.
      if (operation.method === 'resources/subscribe') continue;
      const missing = catalogue.missing(operation);
      if (missing !== undefined) return `${where}: ${missing}`;
      const made = operation.autoArguments === true ? catalogue.argumentsOf(operation) : undefined;
      if (made?.ok === false)
        return `${where}: no arguments can be made up: ${made.problem}. Write them in place of \`auto\`.`;
      const paramHeaders = catalogue.headersOf(operation);
      const whole = { ...(made === undefined ? operation : withArguments(operation, made.template)), paramHeaders };
      if (made !== undefined || paramHeaders.length > 0)
        settled.push(settledOperation(profile, whole, made !== undefined));
      const draw = { seed, slot: profile.firstSlot, sequence: 0 };
      const answer = await session.operation(
        compileRequest(whole, index, pinned),
        draw,
        `${operation.method} ${operation.target ?? ''}`.trim(),
      );
      if (answer.failure !== undefined) return `${where}: ${refused(operation, answer)}`;
    }
  }
  return undefined;
}

function settledOperation(
  { name }: ProfilePlan,
  operation: OperationPlan & { readonly paramHeaders: readonly HeaderPlan[] },
  made: boolean,
): SettledOperation {
  const { params, paramHeaders } = operation;
  return {
    profile: name,
    operation: operation.name,
    ...(made ? { params } : {}),
    ...(paramHeaders.length === 0
      ? {}
      : { paramHeaders: paramHeaders.map((header) => ({ ...header, path: [...header.path] })) }),
  };
}

function refused(operation: OperationPlan, { failure, requestText, responseText }: PreflightAnswer): string {
  const remedy =
    failure?.category === 'tool_error' || failure?.category === 'rpc_-32602'
      ? 'Check its arguments in the scenario.'
      : 'The load would meet the same answer.';
  return `one trial call of ${operation.method} failed with ${failure?.category ?? 'no answer'}: ${failure?.detail ?? ''}. ${remedy}\n--- request\n${requestText}\n--- answer\n${responseText}`;
}
