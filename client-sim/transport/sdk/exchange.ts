import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { overLimit, violation } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import { type MediaType, mediaTypeOf } from '../http/response-head.js';
import type { AnswerHead } from '../judge-http.js';
import { connectProblem, describeError, lost } from '../socket/socket.js';

/** The parts of a head that decide whether an answer is correct, and those that name its sender. */
interface ExchangeHead extends AnswerHead {
  readonly mediaType: MediaType;
  readonly sessionId: string;
  /** `x-swarmbench-replica`, else `x-swarmbench-server`; '' where neither is there. */
  readonly replica: string;
  /** One value per line. */
  readonly setCookie: string;
}

export interface ExchangeOwner {
  onHead(exchange: Exchange): void;
  /** The last byte of the answer was read, or the answer broke off (`problem`). */
  onEnd(exchange: Exchange): void;
  isConnectError(error: Error): boolean;
}

/** One HTTP exchange of an SDK's client, observed below its fetch: the SDK gets the same bytes at the same time. */
export class Exchange {
  /** The JSON-RPC method, and the id of a request. */
  readonly method: string | undefined;
  readonly id: unknown;
  /** Ends it; aborted too when the SDK's own signal for the call is. */
  readonly abort = new AbortController();
  head: ExchangeHead | undefined;
  /** Why it broke off. */
  problem: Problem | undefined;
  private readonly chunks: Buffer[] = [];
  private byteCount = 0;

  constructor(
    private readonly owner: ExchangeOwner,
    readonly verb: string,
    /** The body sent. */
    readonly text: string,
    /** The request named a session. */
    readonly withinSession: boolean,
    /** Longest answer to a POST, notifications included: a JSON client reads it whole. */
    private readonly answerBytes: number,
  ) {
    const message = text === '' ? {} : (JSON.parse(text) as { readonly method?: string; readonly id?: unknown });
    this.method = message.method;
    this.id = message.id;
  }

  /** The answer's bytes; empty for event streams, whose messages are observed one by one. */
  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Length of the answer so far. */
  get bytes(): number {
    return this.byteCount;
  }

  /** A dispatcher for this exchange alone. */
  dispatcherOver(dispatcher: Dispatcher): Dispatcher {
    return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, this.watch(handler)));
  }

  private watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, statusText) => {
        this.begin(status, headers);
        handler.onResponseStart?.(controller, status, headers, statusText);
      },
      onResponseData: (controller, chunk) => {
        this.add(chunk, controller);
        if (!controller.aborted) handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (controller, trailers) => {
        this.owner.onEnd(this);
        handler.onResponseEnd?.(controller, trailers);
      },
      onResponseError: (controller, error) => {
        this.problem ??= this.problemOf(error);
        this.owner.onEnd(this);
        handler.onResponseError?.(controller, error);
      },
    };
  }

  private begin(status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const header = (name: string): string => {
      const value = headers[name] ?? '';
      return Array.isArray(value) ? value.join('\n') : value;
    };
    const contentType = header('content-type');
    this.head = {
      status,
      contentType,
      mediaType: contentType === '' ? 'none' : mediaTypeOf(contentType),
      retryAfter: header('retry-after'),
      location: header('location'),
      authenticate: header('www-authenticate'),
      sessionId: header('mcp-session-id'),
      replica: header('x-swarmbench-replica') || header('x-swarmbench-server'),
      setCookie: header('set-cookie'),
    };
    this.owner.onHead(this);
  }

  private add(chunk: Buffer, controller: Dispatcher.DispatchController): void {
    this.byteCount += chunk.length;
    if (this.verb !== 'POST') return;
    if (this.byteCount > this.answerBytes) {
      this.problem = { category: 'answer_limit', detail: overLimit('an answer', this.answerBytes) };
      return controller.abort(new Error(this.problem.detail));
    }
    if (this.head?.mediaType !== 'event-stream' || this.head.status >= 300) this.chunks.push(chunk);
  }

  private problemOf(error: Error): Problem {
    if (this.owner.isConnectError(error)) return connectProblem(error);
    // The parser's own codes (HPE_...): the answer is not HTTP.
    if ('code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_'))
      return violation(`the answer is not HTTP: ${error.message}`);
    return lost(`${describeError(error)}, ${this.head === undefined ? 'before' : 'within'} the answer`);
  }
}
