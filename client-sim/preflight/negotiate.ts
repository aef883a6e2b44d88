import { FIRST_ID } from '../mcp/digits.js';
import { isObject } from '../mcp/json-value.js';
import { CLIENT_INFO, LEGACY_REVISIONS, MODERN_REVISION, metaEnvelope } from '../mcp/revisions.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import {
  INITIALIZE_ID,
  INITIALIZED_NOTIFICATION,
  type InitializeResult,
  initializeRequest,
  judgeControl,
  judgeInitialized,
  readInitializeResult,
  resultOf,
  serverInfoOf,
} from '../transport/handshake.js';
import { errorOf, PreflightSession, type PreflightSessionOptions, type RawExchange } from './preflight-session.js';

export type Negotiation =
  | {
      readonly ok: true;
      /** Ready for requests; its `exchanges` hold the handshake. The caller closes it. */
      readonly session: PreflightSession;
      readonly pinned: PinnedProtocol;
      readonly serverInfo: InitializeResult['serverInfo'];
      /** The result of the handshake: capabilities, instructions. Empty where there was none. */
      readonly introduction: Readonly<Record<string, unknown>>;
    }
  /** `problem` names the request, the answer, and what to do. */
  | { readonly ok: false; readonly problem: string; readonly session: PreflightSession };

const UNSUPPORTED_VERSION = -32022;
/** Errors that only a server of the stateless era gives: header mismatch, missing capability, unsupported version. */
const MODERN_CODES: ReadonlySet<number> = new Set([-32020, -32021, UNSUPPORTED_VERSION]);

/**
 * Finds out which era the server speaks, and does its handshake. `auto` sends `server/discover` first, and `initialize`
 * after a refusal that a session-era server would give. 401, 403, 5xx, redirects and silence prove nothing about the
 * era, so they end the negotiation (2026-07-28, "Backward Compatibility").
 *
 * @throws TypeError when the endpoint's URL or headers cannot be used
 */
export async function negotiate(
  endpoint: Endpoint,
  era: 'auto' | 'legacy' | 'modern',
  options: PreflightSessionOptions = {},
): Promise<Negotiation> {
  const session = new PreflightSession(endpoint, options);
  if (era === 'legacy') return initialize(session, endpoint, options);
  let discovery = await discover(session, options);
  if (refusesVersionButOffersOurs(discovery)) {
    session.markLastExpected();
    discovery = await discover(session, options);
  }
  const verdict = judgeDiscovery(discovery, era);
  switch (verdict.kind) {
    case 'modern':
      return {
        ok: true,
        session,
        pinned: session.protocol,
        serverInfo: verdict.serverInfo,
        introduction: introductionIn(discovery),
      };
    case 'legacy':
      session.markLastExpected();
      return initialize(session, endpoint, options);
    case 'unknown':
      return failed(session, `asked ${endpoint.url} for server/discover, got ${verdict.got}. ${verdict.hint}`);
  }
}

async function discover(session: PreflightSession, options: PreflightSessionOptions): Promise<RawExchange> {
  session.protocol = { era: 'modern', version: MODERN_REVISION, sessions: false };
  const method = 'server/discover';
  const id = FIRST_ID - 1;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id,
    method,
    params: { _meta: metaEnvelope(MODERN_REVISION, options.clientInfo ?? CLIENT_INFO) },
  });
  return session.raw(method, { verb: 'POST', method, version: MODERN_REVISION }, body, id, (answer) =>
    judgeControl(answer, id, 'modern'),
  );
}

/**
 * An unsupported-version error lists the supported versions; the client chooses one and asks again (2026-07-28,
 * "Protocol Version Header").
 */
function refusesVersionButOffersOurs({ answer }: RawExchange): boolean {
  const error = answer === undefined ? undefined : errorOf(answer);
  if (error?.code !== UNSUPPORTED_VERSION || !isObject(error.data)) return false;
  const { supported } = error.data;
  return Array.isArray(supported) && supported.includes(MODERN_REVISION);
}

type EraVerdict =
  | { readonly kind: 'modern'; readonly serverInfo: InitializeResult['serverInfo'] }
  | { readonly kind: 'legacy' }
  | { readonly kind: 'unknown'; readonly got: string; readonly hint: string };

function judgeDiscovery(discovery: RawExchange, era: 'auto' | 'modern'): EraVerdict {
  const { answer, failure } = discovery;
  if (answer === undefined)
    return unknown(failure?.detail ?? 'no answer', 'Is the server running, and is this its address?');
  if (failure === undefined) {
    const result = resultOf(answer);
    const supported = result.supportedVersions;
    const meta = isObject(result._meta) ? result._meta['io.modelcontextprotocol/serverInfo'] : undefined;
    if (!Array.isArray(supported) || supported.includes(MODERN_REVISION))
      return { kind: 'modern', serverInfo: serverInfoOf(meta) };
    return era === 'auto'
      ? { kind: 'legacy' }
      : unknown(
          `versions ${supported.join(', ')}`,
          `This client speaks ${MODERN_REVISION} in the stateless era; try era: auto.`,
        );
  }
  const { status } = answer;
  if (status === 401 || status === 403)
    return unknown(
      `HTTP ${status}`,
      'The server wants credentials: pass them with --auth-token-file FILE, or --header.',
    );
  if (status >= 500)
    return unknown(`HTTP ${status}`, 'The server has an error, or the gateway in front of it has no server.');
  if (status >= 300 && status < 400)
    return unknown(`HTTP ${status} to ${answer.location}`, 'Redirects are not followed: use that address.');
  const error = errorOf(answer);
  if (error !== undefined && MODERN_CODES.has(error.code) && status === 400) {
    return unknown(failure.detail, `The server speaks the stateless era, but not ${MODERN_REVISION}.`);
  }
  // An unknown method is an answer too: in the stateless era `server/discover` is optional.
  if (era === 'modern' && error?.code === -32601) return { kind: 'modern', serverInfo: undefined };
  return era === 'auto'
    ? { kind: 'legacy' }
    : unknown(failure.detail, 'The server does not speak the stateless era; try era: auto or legacy.');
}

function unknown(got: string, hint: string): EraVerdict {
  return { kind: 'unknown', got, hint };
}

async function initialize(
  session: PreflightSession,
  endpoint: Endpoint,
  options: PreflightSessionOptions,
): Promise<Negotiation> {
  const version = LEGACY_REVISIONS[0];
  session.protocol = { era: 'legacy', version, sessions: false };
  const body = initializeRequest(version, options.clientInfo ?? CLIENT_INFO);
  const answered = await session.raw('initialize', { verb: 'POST' }, body, INITIALIZE_ID, (answer) => {
    const read = readInitializeResult(answer);
    return read.ok ? undefined : read.problem;
  });
  const read = answered.answer === undefined ? undefined : readInitializeResult(answered.answer);
  if (read?.ok !== true)
    return failed(
      session,
      `asked ${endpoint.url} to initialize, got ${answered.failure?.detail ?? 'no answer'}. Is this an MCP endpoint?`,
    );
  const { sessionId, serverInfo } = read.result;
  session.sessionId = sessionId;
  session.protocol = { era: 'legacy', version: read.result.version, sessions: sessionId !== undefined };
  const kind = { verb: 'POST', sessionId, version: session.protocol.version } as const;
  const confirmed = await session.raw(
    'notifications/initialized',
    kind,
    INITIALIZED_NOTIFICATION,
    undefined,
    judgeInitialized,
  );
  if (confirmed.failure !== undefined)
    return failed(session, `sent notifications/initialized to ${endpoint.url}, got ${confirmed.failure.detail}.`);
  return { ok: true, session, pinned: session.protocol, serverInfo, introduction: introductionIn(answered) };
}

function introductionIn({ answer, failure }: RawExchange): Readonly<Record<string, unknown>> {
  return answer === undefined || failure !== undefined ? {} : resultOf(answer);
}

/** Closes the session, of which only the record is still useful. */
function failed(session: PreflightSession, problem: string): Negotiation {
  void session.close();
  return { ok: false, session, problem };
}
