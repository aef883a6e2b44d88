import type { TransportName } from '../../scenarios/schema/transports.js';
import { renderRequest } from '../mcp/compile-request.js';
import { FIRST_ID } from '../mcp/digits.js';
import type { Draw } from '../mcp/draw.js';
import type { Expectation } from '../mcp/expectation.js';
import { encodeHeaderValue } from '../mcp/header-value.js';
import { isObject, type Problem } from '../mcp/judge-message.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import { CLIENT_INFO, type ClientInfo, metaEnvelope } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, Exchange, PinnedProtocol } from '../protocol/messages.js';
import { judgeControl, resultOf } from './handshake.js';
import type { ControlAnswer, ControlOutcome } from './http/control.js';
import { parseRetryAfter } from './http/retry-after.js';
import type { Line } from './line.js';
import { kindOf, type RequestKind } from './request-head.js';
import { clip, redact } from './sample.js';
import { transportMap } from './transports.js';

export interface WireSessionOptions {
  /** Default `streamable-http`. */
  readonly transport?: TransportName | undefined;
  readonly clientInfo?: ClientInfo | undefined;
  /** Of each request; default 10 s. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;

/** What one request came to. Texts are redacted and bounded, as in a report. */
export interface WireAnswer {
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

/** A session (in the stateless era: a line) for preflight and tests: one request at a time, all of them on record. */
export class WireSession {
  /** Every request so far, in order. */
  readonly exchanges: Exchange[] = [];
  /** Era and revision of the requests that follow; `negotiate` settles them. */
  protocol: PinnedProtocol = { era: 'legacy', version: '', sessions: false };
  sessionId: string | undefined;

  private nextId = FIRST_ID;
  private readonly line: Line;
  private readonly timeoutMs: number;
  private readonly clientInfo: ClientInfo;

  /** @throws TypeError when the endpoint's URL is none of the transport's, or a header cannot be sent */
  constructor(
    private readonly endpoint: Endpoint,
    options: WireSessionOptions = {},
  ) {
    this.line = transportMap[options.transport ?? 'streamable-http'].createLine(endpoint);
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.clientInfo = options.clientInfo ?? CLIENT_INFO;
  }

  /** @param step what the record calls it; the method when not given */
  async request(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    step: string = method,
  ): Promise<WireAnswer> {
    const id = this.nextId++;
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
    return this.answered(step, { verb: 'POST', method, name, ...this.settled() }, body, id);
  }

  /** The very bytes the load would send for this operation. */
  async operation(template: RequestTemplate, draw: Draw, step: string): Promise<WireAnswer> {
    const id = this.nextId++;
    const kind: RequestKind = { ...kindOf(template, draw), ...this.settled() };
    return this.answered(step, kind, renderRequest(template, id, draw), id, template.expectation);
  }

  /** Ends the session politely, if there is one, and closes the connection. */
  async close(): Promise<void> {
    if (this.sessionId !== undefined)
      await this.raw('goodbye', { verb: 'DELETE', ...this.settled() }, '', undefined, () => undefined);
    this.line.close();
  }

  /**
   * Sends one message as it is and records the exchange. For the handshake; see `request`.
   * @param judge says what is wrong with the answer, if anything
   */
  async raw(
    step: string,
    kind: RequestKind,
    body: string,
    id: number | undefined,
    judge: (answer: ControlAnswer) => Problem | undefined,
  ): Promise<RawExchange> {
    const startedAt = performance.now();
    const asked = { ...kind, cookie: this.line.cookies?.header };
    this.line.settled = this.settled();
    const outcome = await this.line.exchange(this.protocol.era, asked, body, id, this.timeoutMs);
    const durationMs = performance.now() - startedAt;
    const problem = outcome.kind === 'failed' ? outcome.failure : judge(outcome.answer);
    const request = clip(redact(this.line.requestText(this.protocol.era, asked, body), this.endpoint));
    const response =
      outcome.kind === 'failed' ? '(no answer)' : clip(redact(this.line.responseText(outcome.answer), this.endpoint));
    const failure =
      problem === undefined
        ? undefined
        : {
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

  /** The last answer, though an error, was one that had to be expected: on record it counts as well. */
  forgiveLast(): void {
    const last = this.exchanges.pop();
    if (last === undefined) return;
    const { step, request, response, durationMs } = last;
    this.exchanges.push({ step, request, response, durationMs, ok: true });
  }

  /** Of the last exchange, which was in order, something is to be said all the same. */
  remarkLast(problem: string): void {
    const last = this.exchanges.pop();
    if (last !== undefined) this.exchanges.push({ ...last, problem });
  }

  private async answered(
    step: string,
    kind: RequestKind,
    body: string,
    id: number,
    expectation?: Expectation,
  ): Promise<WireAnswer> {
    const judge = (answer: ControlAnswer): Problem | undefined =>
      judgeControl(answer, id, this.protocol.era, this.sessionId !== undefined, expectation);
    const { answer, failure, durationMs, request, response } = await this.raw(step, kind, body, id, judge);
    const result = answer !== undefined && failure === undefined ? resultOf(answer) : undefined;
    return { status: answer?.status ?? 0, result, failure, durationMs, requestText: request, responseText: response };
  }

  private settled(): Pick<RequestKind, 'sessionId' | 'version' | 'cookie'> {
    return { sessionId: this.sessionId, version: this.protocol.version, cookie: this.line.cookies?.header };
  }
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
  try {
    const message: unknown = JSON.parse(answer.body);
    const error = isObject(message) ? message.error : undefined;
    return isObject(error) && typeof error.code === 'number' ? { code: error.code, data: error.data } : undefined;
  } catch {
    // Not JSON: then it carries no JSON-RPC error.
    return undefined;
  }
}
