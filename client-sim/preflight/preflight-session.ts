import type { TransportName } from '../../scenarios/schema/transports.js';
import { type RequestTemplate, renderRequest } from '../mcp/compile-request.js';
import type { Draw } from '../mcp/draw.js';
import type { DrawnRules } from '../mcp/expectation.js';
import { isObject } from '../mcp/json-value.js';
import { encodeHeaderValue } from '../mcp/param-headers.js';
import { RequestIds } from '../mcp/request-ids.js';
import { CLIENT_INFO, type ClientInfo, metaEnvelope } from '../mcp/revisions.js';
import type { Failure, Problem } from '../measure/failure.js';
import { PREFLIGHT_IDS } from '../protocol/id-ranges.js';
import type { Endpoint, Exchange, PinnedProtocol } from '../protocol/messages.js';
import { type ControlAnswer, type ControlOutcome, messageIn } from '../transport/control.js';
import { judgeControl, resultOf } from '../transport/handshake.js';
import { kindOf, type RequestKind, type SessionHeaders } from '../transport/request-head.js';
import { parseRetryAfter } from '../transport/retry.js';
import { clip, redact } from '../transport/sample.js';
import { createProfileShared, createThreadShared, type ProfileShared } from '../transport/shared.js';
import { transportMap } from '../transports.js';
import { DuplexPreflightClient } from './duplex-preflight-client.js';
import { HttpPreflightClient } from './http-preflight-client.js';
import type { PreflightClient } from './preflight-client.js';

export interface PreflightSessionOptions {
  /** Default `streamable-http`. */
  readonly transport?: TransportName | undefined;
  readonly clientInfo?: ClientInfo | undefined;
  /** Time limit of each request; default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** The longest answer that is read. */
  readonly answerBytes?: number | undefined;
  /** Receives what a started server writes to its standard error. */
  readonly log?: ((line: string) => void) | undefined;
}

const TIMEOUT_MS = 10_000;

/** The outcome of one request. Texts are redacted and bounded, as in a report. */
export interface PreflightAnswer {
  /** 0: no answer. */
  readonly status: number;
  /** `result` of a correct answer, else undefined. */
  readonly result: Record<string, unknown> | undefined;
  /** Undefined for a correct answer. */
  readonly failure: Failure | undefined;
  readonly durationMs: number;
  readonly requestText: string;
  readonly responseText: string;
}

/** A session for preflight and tests: one request at a time, all of them recorded. */
export class PreflightSession {
  /** Every request so far, in order. */
  readonly exchanges: Exchange[] = [];
  /** Era and revision of the following requests; `negotiate` settles them. */
  protocol: PinnedProtocol = { era: 'legacy', version: '', sessions: false };
  sessionId: string | undefined;

  private readonly client: PreflightClient;
  /** Time limit of each request. */
  readonly timeoutMs: number;
  /** The same for the first request to a server that may have to be started. */
  readonly startTimeoutMs: number;
  private readonly clientInfo: ClientInfo;

  /** @throws TypeError when the endpoint's URL is none of the transport's, or a header cannot be sent */
  constructor(
    readonly endpoint: Endpoint,
    options: PreflightSessionOptions = {},
  ) {
    this.client = createClient(options.transport ?? 'streamable-http', endpoint, preflightShared(options));
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.startTimeoutMs = Math.max(this.timeoutMs, endpoint.server?.startTimeoutMs ?? 0);
    this.clientInfo = options.clientInfo ?? CLIENT_INFO;
  }

  /** @param step its name in the record */
  async request(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    step: string = method,
  ): Promise<PreflightAnswer> {
    const id = this.takeId();
    const all =
      this.protocol.era === 'modern'
        ? { ...params, _meta: metaEnvelope(this.protocol.version, this.clientInfo) }
        : params;
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      ...(Object.keys(all).length === 0 ? {} : { params: all }),
    });
    const target = params.name ?? params.uri;
    const name = typeof target === 'string' ? encodeHeaderValue(target) : undefined;
    return this.answered(step, { verb: 'POST', method, name, ...this.sessionHeaders() }, body, id);
  }

  takeId(): number {
    return preflightIds.take();
  }

  /** Sends exactly the bytes that the load would send for this operation. */
  async operation(template: RequestTemplate, draw: Draw, step: string, timeoutMs?: number): Promise<PreflightAnswer> {
    const id = this.takeId();
    const kind: RequestKind = { ...kindOf(template, draw), ...this.sessionHeaders() };
    return this.answered(step, kind, renderRequest(template, id, draw), id, { ...template, draw }, timeoutMs);
  }

  /** Ends the session with DELETE, if there is one, and closes the connection. */
  async close(): Promise<void> {
    if (this.sessionId !== undefined)
      await this.raw('end of session', { verb: 'DELETE', ...this.sessionHeaders() }, '', undefined, () => undefined);
    this.client.close();
  }

  /**
   * Sends one message as it is and records the exchange. For the handshake; see `request`.
   * @param judge returns the problem of the answer, if there is one
   */
  async raw(
    step: string,
    kind: RequestKind,
    body: string,
    id: number | undefined,
    judge: (answer: ControlAnswer) => Problem | undefined,
    timeoutMs = this.timeoutMs,
  ): Promise<RawExchange> {
    const startedAt = performance.now();
    const sent = { ...kind, cookie: this.client.cookies?.header };
    this.client.sessionHeaders = this.sessionHeaders();
    const outcome = await this.client.exchange(this.protocol.era, sent, body, id, timeoutMs);
    const durationMs = performance.now() - startedAt;
    const problem = outcome.kind === 'failed' ? outcome.failure : judge(outcome.answer);
    const request = clip(redact(this.client.requestText(this.protocol.era, sent, body), this.endpoint));
    const response =
      outcome.kind === 'failed' ? '(no answer)' : clip(redact(this.client.responseText(outcome.answer), this.endpoint));
    const failure = problem && {
      ...withRetryAfter(problem, outcome),
      detail: redact(problem.detail, this.endpoint),
      sample: { request, response },
    };
    this.exchanges.push({
      step,
      request,
      response,
      durationMs,
      ok: failure === undefined,
      ...(failure === undefined ? {} : { problem: `${failure.category}: ${failure.detail}` }),
    });
    return { answer: outcome.kind === 'answered' ? outcome.answer : undefined, failure, durationMs, request, response };
  }

  /** The last answer was an error that was to be expected: the record shows it as correct. */
  markLastExpected(): void {
    const last = this.exchanges.pop();
    if (last === undefined) return;
    const { step, request, response, durationMs } = last;
    this.exchanges.push({ step, request, response, durationMs, ok: true });
  }

  /** The errors in answer to these requests were to be expected: the record shows them as correct. */
  markExpected(step: string): void {
    for (const [index, exchange] of this.exchanges.entries()) {
      const { request, response, durationMs } = exchange;
      if (exchange.step === step) this.exchanges[index] = { step, request, response, durationMs, ok: true };
    }
  }

  /** The next request goes over a new connection, or to a new process. */
  restart(): void {
    this.client.restart?.();
  }

  /** Adds a note to the record of the last exchange, which was correct. */
  annotateLast(problem: string): void {
    const last = this.exchanges.pop();
    if (last !== undefined) this.exchanges.push({ ...last, problem });
  }

  private async answered(
    step: string,
    kind: RequestKind,
    body: string,
    id: number,
    rules?: DrawnRules,
    timeoutMs?: number,
  ): Promise<PreflightAnswer> {
    const judge = (answer: ControlAnswer): Problem | undefined =>
      judgeControl(answer, id, this.protocol.era, this.sessionId !== undefined, rules);
    const { answer, failure, durationMs, request, response } = await this.raw(step, kind, body, id, judge, timeoutMs);
    const result = answer !== undefined && failure === undefined ? resultOf(answer) : undefined;
    return { status: answer?.status ?? 0, result, failure, durationMs, requestText: request, responseText: response };
  }

  private sessionHeaders(): SessionHeaders {
    return { sessionId: this.sessionId, version: this.protocol.version, cookie: this.client.cookies?.header };
  }
}

/** Of all sessions of this process. */
const preflightIds = new RequestIds(PREFLIGHT_IDS);

/** State of connections that are no load. */
export function preflightShared({
  answerBytes,
  log,
}: Pick<PreflightSessionOptions, 'answerBytes' | 'log'> = {}): ProfileShared {
  return createProfileShared(createThreadShared({ answerBytes, ids: preflightIds, log }));
}

/** @throws TypeError when the endpoint's URL is none of the transport's, or a header cannot be sent */
function createClient(transport: TransportName, endpoint: Endpoint, shared: ProfileShared): PreflightClient {
  const { createLink } = transportMap[transport];
  return createLink === undefined
    ? new HttpPreflightClient(endpoint, shared)
    : new DuplexPreflightClient(endpoint, createLink, shared);
}

export interface RawExchange {
  readonly answer: ControlAnswer | undefined;
  readonly failure: Failure | undefined;
  readonly durationMs: number;
  readonly request: string;
  readonly response: string;
}

function withRetryAfter(problem: Problem, outcome: ControlOutcome): Failure {
  const retryAfterMs = outcome.kind === 'answered' ? parseRetryAfter(outcome.answer.retryAfter, Date.now()) : undefined;
  return retryAfterMs === undefined ? problem : { ...problem, retryAfterMs };
}

/** The JSON-RPC error of an answer, whatever its status. */
export function errorOf(answer: ControlAnswer): { readonly code: number; readonly data: unknown } | undefined {
  const error = messageIn(answer)?.error;
  return isObject(error) && typeof error.code === 'number' ? { code: error.code, data: error.data } : undefined;
}
