import type { Failure, Problem } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { ControlAnswer, ControlOutcome } from '../transport/control.js';
import { CookieJar } from '../transport/cookie-jar.js';
import { EndpointMemory } from '../transport/endpoint-memory.js';
import { type BrokenCall, Connection, type ConnectionOwner } from '../transport/http/connection.js';
import { SIDE_DEPTH } from '../transport/http/connection-set.js';
import { type RequestKind, requestBytes, type SessionHeaders } from '../transport/request-head.js';
import { requestText, responseText } from '../transport/sample.js';
import { answerServerRequest } from '../transport/session-messages.js';
import type { ProfileShared } from '../transport/shared.js';
import { CallResumption } from '../transport/stream/call-resumption.js';
import type { PreflightClient } from './preflight-client.js';

/** One request at a time over a connection and parsers like the load's, with promises. */
export class HttpPreflightClient implements ConnectionOwner, PreflightClient {
  readonly memory: EndpointMemory;
  readonly hasSession = false;
  readonly era = 'legacy';
  /** Undefined: cookies are not kept. */
  readonly cookies: CookieJar | undefined;
  /** Session and version headers of answers to the server's own requests. */
  sessionHeaders: SessionHeaders = {};
  private readonly main: Connection;
  /** For answers to the server's own requests while the main connection waits for its stream. */
  private readonly side: Connection;
  /** The era of the current exchange. */
  private exchangeEra: PinnedProtocol['era'] = 'legacy';
  private resumption: CallResumption | undefined;

  /** @throws TypeError when the endpoint's URL is not http(s), or a header cannot be sent */
  constructor(
    private readonly endpoint: Endpoint,
    private readonly shared: ProfileShared,
  ) {
    this.cookies = endpoint.cookies === true ? new CookieJar() : undefined;
    this.memory = new EndpointMemory(endpoint, this.era, shared.samples);
    const { address } = this.memory;
    this.main = new Connection(this, shared, address, 1);
    this.side = new Connection(this, shared, address, SIDE_DEPTH);
  }

  /**
   * Sends one request and waits for its answer; never rejects for anything the server does.
   * @param id of the JSON-RPC answer awaited; undefined: waits for the end of the HTTP answer
   */
  async exchange(
    era: 'legacy' | 'modern',
    kind: RequestKind,
    body: string,
    id: number | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome> {
    const request = requestBytes(this.endpoint, era, kind, body);
    this.exchangeEra = era;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const failure: Failure = { category: 'timeout', detail: `no answer within ${timeoutMs} ms` };
        resolve({ kind: 'failed', failure });
        this.main.abandonAll();
        this.resumption?.destroy();
      }, timeoutMs);
      const done = (outcome: ControlOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.main.sendControl(request, { id, done });
      this.main.flush();
    });
  }

  requestText(era: 'legacy' | 'modern', kind: RequestKind, body: string): string {
    return requestText(this.endpoint, era, kind, body);
  }

  responseText(answer: ControlAnswer): string {
    return responseText(
      answer,
      answer.messages.length > 0 ? answer.messages.map((message) => `data: ${message}`).join('\n\n') : answer.body,
    );
  }

  close(): void {
    this.resumption?.destroy();
    this.main.destroy(false);
    this.side.destroy(false);
  }

  onServerRequest(request: Record<string, unknown>): void {
    if (this.side.room === 0) return;
    this.side.sendControl(
      requestBytes(this.endpoint, 'legacy', { verb: 'POST', ...this.sessionHeaders }, answerServerRequest(request)),
      { id: undefined, done: () => undefined },
    );
    this.side.flush();
  }

  onBroken(call: BrokenCall): boolean {
    const { control } = call;
    if (control === undefined || this.exchangeEra !== 'legacy') return false;
    const { endpoint, hasSession, memory } = this;
    const host = {
      endpoint,
      hasSession,
      address: memory.address,
      sessionHeaders: () => ({ ...this.sessionHeaders, cookie: this.cookies?.header }),
      onServerRequest: (request: Record<string, unknown>) => this.onServerRequest(request),
    };
    this.resumption = new CallResumption(host, this.shared, call, undefined, (outcome) => {
      if (outcome.kind === 'lost') return control.done({ kind: 'failed', failure: outcome.problem });
      const { bytes, start, end, replica } = outcome;
      const { status, mediaType, contentType, retryAfter, location, authenticate } = outcome.head;
      const text = bytes.toString('utf8', start, end);
      control.done({
        kind: 'answered',
        answer: {
          status,
          mediaType,
          contentType,
          retryAfter,
          location,
          authenticate,
          sessionId: '',
          replica,
          body: text,
          messages: [text],
        },
      });
    });
    return true;
  }

  onSetCookie(setCookie: string): void {
    this.cookies?.keep(setCookie);
  }

  toFailure(problem: Problem): Failure {
    return problem;
  }

  // Outcomes reach `exchange` through its control; a connection that went down connects again with the next request.
  onUp(): void {}
  onDown(): void {}
  onOutcome(): void {}
  onRoom(): void {}
  onReadStart(): void {}
  onReadEnd(): void {}
}
