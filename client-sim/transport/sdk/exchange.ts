import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { type Problem, violation } from '../../mcp/judge-message.js';
import { type MediaType, mediaTypeOf } from '../http/response-head.js';
import type { AnswerHead } from '../judge-http.js';
import { describeError, lost } from '../socket/socket.js';

/** What of a head decides, and who sent it. */
interface ExchangeHead extends AnswerHead {
  readonly mediaType: MediaType;
  readonly sessionId: string;
  /** `x-swarmbench-replica`, else `x-swarmbench-server`; '' where neither is there. */
  readonly replica: string;
  /** One a line. */
  readonly setCookie: string;
}

export interface ExchangeOwner {
  onHead(exchange: Exchange): void;
  /** The last byte of the answer was read, or it broke off (`problem`). */
  onEnd(exchange: Exchange): void;
  isConnectError(error: Error): boolean;
}

/**
 * Of one answer to a POST, notifications before it included; a client of JSON reads it whole, so a server could fill
 * its memory.
 */
const MOST_BYTES = 16 * 1024 * 1024;

/** One HTTP exchange of an SDK's client, seen from below its fetch: the SDK gets the same bytes at the same time. */
export class Exchange {
  /** The JSON-RPC method, and the id where it is a request. */
  readonly method: string | undefined;
  readonly id: unknown;
  /** Ends it; what the SDK's own signals have to say is said here too. */
  readonly abort = new AbortController();
  head: ExchangeHead | undefined;
  /** Why it broke off. */
  problem: Problem | undefined;
  private readonly chunks: Buffer[] = [];
  private _bytes = 0;

  constructor(
    private readonly owner: ExchangeOwner,
    readonly verb: string,
    /** The body sent. */
    readonly text: string,
    /** It named a session. */
    readonly withinSession: boolean,
  ) {
    const message = text === '' ? {} : (JSON.parse(text) as { readonly method?: string; readonly id?: unknown });
    this.method = message.method;
    this.id = message.id;
  }

  /** The answer's bytes, but for event streams, whose messages are seen one by one. */
  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Of the whole answer so far. */
  get bytes(): number {
    return this._bytes;
  }

  /** A dispatcher for this exchange alone. */
  over(dispatcher: Dispatcher): Dispatcher {
    return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, this.watch(handler)));
  }

  private watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, words) => {
        this.begin(status, headers);
        handler.onResponseStart?.(controller, status, headers, words);
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
    const one = (name: string): string => {
      const value = headers[name];
      return value === undefined ? '' : Array.isArray(value) ? value.join('\n') : value;
    };
    const contentType = one('content-type');
    this.head = {
      status,
      contentType,
      mediaType: contentType === '' ? 'none' : mediaTypeOf(contentType),
      retryAfter: one('retry-after'),
      location: one('location'),
      sessionId: one('mcp-session-id'),
      replica: one('x-swarmbench-replica') || one('x-swarmbench-server'),
      setCookie: one('set-cookie'),
    };
    this.owner.onHead(this);
  }

  private add(chunk: Buffer, controller: Dispatcher.DispatchController): void {
    this._bytes += chunk.length;
    if (this.verb !== 'POST') return;
    if (this._bytes > MOST_BYTES) {
      this.problem = violation(`a body of more than ${MOST_BYTES} bytes`);
      return controller.abort(new Error(this.problem.detail));
    }
    if (this.head?.mediaType !== 'event-stream' || this.head.status >= 300) this.chunks.push(chunk);
  }

  private problemOf(error: Error): Problem {
    if (this.owner.isConnectError(error)) return { category: 'connect', detail: describeError(error) };
    // The parser's own codes (HPE_...): what came is not HTTP.
    if ('code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_'))
      return violation(`the answer is not HTTP: ${error.message}`);
    return lost(`${describeError(error)}, ${this.head === undefined ? 'before' : 'within'} the answer`);
  }
}
