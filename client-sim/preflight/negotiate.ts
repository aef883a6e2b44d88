import { isObject } from '../mcp/json-value.js';
import { CLIENT_INFO, LEGACY_REVISIONS, MODERN_REVISION, metaEnvelope } from '../mcp/revisions.js';
import type { Problem } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { ControlAnswer } from '../transport/control.js';
import {
  INITIALIZED_NOTIFICATION,
  type InitializeResult,
  initializeRequest,
  judgeControl,
  judgeInitialized,
  readInitializeResult,
  resultOf,
  serverInfoOf,
} from '../transport/handshake.js';
import { bodyWords } from '../transport/server-words.js';
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
 * after a refusal that a session-era server would give (2026-07-28, "Backward Compatibility"). Errors of the server,
 * a closed connection and silence prove nothing about the era, but servers of the session era do answer so what they
 * do not know: they are asked for `initialize` too, over a new connection; over stdio, in a new process. 401, 403 and
 * redirects end the negotiation.
 *
 * @throws TypeError when the endpoint's URL or headers cannot be used
 */
export async function negotiate(
  endpoint: Endpoint,
  era: 'auto' | 'legacy' | 'modern',
  options: PreflightSessionOptions = {},
): Promise<Negotiation> {
  const session = new PreflightSession(endpoint, options);
  if (era === 'legacy') return concluded(session, endpoint, await initialize(session, options, session.startTimeoutMs));
  const first = era === 'auto' ? session.timeoutMs : session.startTimeoutMs;
  let discovery = await discover(session, options, first);
  if (refusesVersionButOffersOurs(discovery)) {
    session.markExpected(DISCOVER);
    discovery = await discover(session, options, first);
  }
  const verdict = judgeDiscovery(discovery, era, endpoint);
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
      session.markExpected(DISCOVER);
      return concluded(session, endpoint, await initialize(session, options, session.startTimeoutMs));
    case 'unsure':
      return initializeAfter(session, endpoint, options, { got: verdict.got, isSilent: isSilent(discovery) });
    case 'unknown':
      return failed(session, sentence(endpoint, `for ${DISCOVER}`, verdict.got, verdict.hint));
  }
}

/** `initialize` for a server whose answer to `server/discover` says nothing about its era. */
async function initializeAfter(
  session: PreflightSession,
  endpoint: Endpoint,
  options: PreflightSessionOptions,
  { got, isSilent: wasSilent }: { readonly got: string; readonly isSilent: boolean },
): Promise<Negotiation> {
  const outcome = await initialize(session, options, session.startTimeoutMs);
  if (outcome.kind === 'initialized') {
    session.markExpected(DISCOVER);
    return concluded(session, endpoint, outcome);
  }
  // A server that is still starting is silent, whatever it speaks.
  if (wasSilent && outcome.answered && endpoint.server !== undefined) {
    session.restart();
    const discovery = await discover(session, options, session.startTimeoutMs);
    const verdict = judgeDiscovery(discovery, 'modern', endpoint);
    if (verdict.kind === 'modern') {
      session.markExpected(DISCOVER);
      session.markExpected('initialize');
      return {
        ok: true,
        session,
        pinned: session.protocol,
        serverInfo: verdict.serverInfo,
        introduction: introductionIn(discovery),
      };
    }
  }
  const isSame = got === outcome.got;
  const both = isSame
    ? `asked ${endpoint.url} for ${DISCOVER}, then to initialize; both times ${got}. ${outcome.hint}`
    : sentence(endpoint, `for ${DISCOVER}`, `${got}; then asked it to initialize, got ${outcome.got}`, outcome.hint);
  // A command that cannot run cannot run in either era.
  const eras = isSame && endpoint.server !== undefined ? '' : ' To ask in one era only: --era legacy or --era modern.';
  return failed(session, `${both}${eras}`);
}

function isSilent({ failure }: RawExchange): boolean {
  return failure?.category === 'timeout';
}

/** @param asked `to initialize`, for example */
function sentence({ url }: Endpoint, asked: string, got: string, hint: string): string {
  return `asked ${url} ${asked}, got ${got.replace(/\.$/, '')}.${hint === '' ? '' : ` ${hint}`}`;
}

const DISCOVER = 'server/discover';

async function discover(
  session: PreflightSession,
  options: PreflightSessionOptions,
  timeoutMs: number,
): Promise<RawExchange> {
  session.protocol = { era: 'modern', version: MODERN_REVISION, sessions: false };
  const method = DISCOVER;
  const id = session.takeId();
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id,
    method,
    params: { _meta: metaEnvelope(MODERN_REVISION, options.clientInfo ?? CLIENT_INFO) },
  });
  const kind = { verb: 'POST', method, version: MODERN_REVISION } as const;
  return session.raw(method, kind, body, id, (answer) => judgeControl(answer, id, 'modern'), timeoutMs);
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
  /** It says nothing about the era, nor that there is no server. */
  | { readonly kind: 'unsure'; readonly got: string }
  | { readonly kind: 'unknown'; readonly got: string; readonly hint: string };

function judgeDiscovery(discovery: RawExchange, era: 'auto' | 'modern', endpoint: Endpoint): EraVerdict {
  const { answer, failure } = discovery;
  const got = failure?.detail ?? 'no answer';
  if (answer === undefined)
    return era === 'auto' && failure?.category !== 'connect'
      ? { kind: 'unsure', got }
      : unknown(got, hintFor(endpoint, discovery));
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
  if (status === 401 || status === 403 || (status >= 300 && status < 400))
    return unknown(got, hintFor(endpoint, discovery));
  if (status >= 500) return era === 'auto' ? { kind: 'unsure', got } : unknown(got, hintFor(endpoint, discovery));
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

type Initialization =
  | {
      readonly kind: 'initialized';
      readonly serverInfo: InitializeResult['serverInfo'];
      readonly introduction: Readonly<Record<string, unknown>>;
    }
  /** @property answered the server refused it in words of the protocol */
  | {
      readonly kind: 'failed';
      readonly asked: string;
      readonly got: string;
      readonly hint: string;
      readonly answered: boolean;
    };

async function initialize(
  session: PreflightSession,
  options: PreflightSessionOptions,
  timeoutMs: number,
): Promise<Initialization> {
  const version = LEGACY_REVISIONS[0];
  session.protocol = { era: 'legacy', version, sessions: false };
  const id = session.takeId();
  const body = initializeRequest(version, options.clientInfo ?? CLIENT_INFO, id);
  const judge = (answer: ControlAnswer): Problem | undefined => {
    const read = readInitializeResult(answer, id);
    return read.ok ? undefined : read.problem;
  };
  const answered = await session.raw('initialize', { verb: 'POST' }, body, id, judge, timeoutMs);
  const read = answered.answer === undefined ? undefined : readInitializeResult(answered.answer, id);
  if (read?.ok !== true) return refused(session, 'to initialize', answered);
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
  if (confirmed.failure !== undefined) return refused(session, 'to take notifications/initialized', confirmed);
  return { kind: 'initialized', serverInfo, introduction: introductionIn(answered) };
}

function introductionIn({ answer, failure }: RawExchange): Readonly<Record<string, unknown>> {
  return answer === undefined || failure !== undefined ? {} : resultOf(answer);
}

function refused({ endpoint }: PreflightSession, asked: string, exchange: RawExchange): Initialization {
  const { answer, failure } = exchange;
  return {
    kind: 'failed',
    asked,
    got: failure?.detail ?? 'no answer',
    hint: hintFor(endpoint, exchange),
    answered: answer !== undefined && errorOf(answer) !== undefined,
  };
}

function concluded(session: PreflightSession, endpoint: Endpoint, outcome: Initialization): Negotiation {
  if (outcome.kind === 'failed') return failed(session, sentence(endpoint, outcome.asked, outcome.got, outcome.hint));
  const { serverInfo, introduction } = outcome;
  return { ok: true, session, pinned: session.protocol, serverInfo, introduction };
}

/** Errors of TLS in which the certificate of the server is not trusted (Node's and OpenSSL's words). */
const UNTRUSTED =
  /self[- ]signed certificate|unable to (?:verify|get (?:local )?issuer)|certificate (?:has expired|is not)/i;

/** What to do about a refused handshake, in words that fit the transport; '' where the server's own words say it. */
function hintFor(endpoint: Endpoint, { answer, failure }: RawExchange): string {
  if (endpoint.server !== undefined) return hintForCommand(failure);
  if (answer === undefined) {
    if (failure?.category === 'timeout')
      return (
        'Does an MCP server listen at this address? For one that is slow, give the preflight more time: ' +
        '`preflight: { timeout: 60s }`.'
      );
    if (UNTRUSTED.test(failure?.detail ?? ''))
      return 'Trust its certificate authority with --tls-ca FILE, or do not check the certificate with --insecure.';
    if (/altnames|does not match certificate/i.test(failure?.detail ?? ''))
      return 'Use the name that the certificate is for, or do not check the certificate with --insecure.';
    if (/wrong version number|packet length too long|EPROTO/i.test(failure?.detail ?? ''))
      return 'Does this port speak TLS? Otherwise the address begins with http, ws or tcp.';
    return failure?.category.startsWith('http_') === true ? '' : 'Is the server running, and is this its address?';
  }
  const { status } = answer;
  if (status >= 300 && status < 400) return 'Use that address.';
  const hasWords = bodyWords(answer, answer.body) !== '';
  if (status === 401 || status === 403)
    return hasWords ? '' : 'The server wants credentials: pass them with --auth-token-file FILE, or --header.';
  if (status >= 500) return 'The server has an error, or the gateway in front of it has no server.';
  return status === 404 || status === 405 || !hasWords ? 'Is this an MCP endpoint?' : '';
}

function hintForCommand(failure: Problem | undefined): string {
  if (failure?.category === 'timeout')
    return (
      'Does the command start an MCP server on its standard streams? For one that starts slowly, give it more time: ' +
      '`target: { startTimeout: 2m }`.'
    );
  if (failure?.category === 'connect') return 'Is the program there, and may it be run?';
  return 'Does the command start an MCP server on its standard streams?';
}

/** Closes the session, of which only the record is still useful. */
function failed(session: PreflightSession, problem: string): Negotiation {
  void session.close();
  return { ok: false, session, problem };
}
