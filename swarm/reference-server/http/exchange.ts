import type { IncomingMessage, ServerResponse } from 'node:http';
import { LARGEST_MESSAGE_BYTES } from '../mcp/inbound.js';
import { type Outcome, outcomeOf } from '../mcp/outcome.js';
import { replicaHeader } from '../mcp/replica-meta.js';

/**
 * One HTTP request and its answer, between `node:http` and the web-standard `Request` and `Response` the SDKs speak.
 */
export class Exchange {
  private readonly atEnd: (() => void)[] = [];
  private outcome: Outcome = 'ok';
  private signal: AbortSignal | undefined;

  /**
   * @param onEnded called once, when the answer is written to the last byte or the client has gone
   * @param onStreamed called for every piece of a stream, when it is written
   */
  constructor(
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    onEnded: (outcome: Outcome) => void,
    private readonly onStreamed: (text: string) => void = () => undefined,
  ) {
    outgoing.once('close', () => {
      for (const act of this.atEnd) act();
      onEnded(outgoing.writableFinished ? this.outcome : 'aborted');
    });
  }

  readonly onEnd = (act: () => void): void => {
    this.atEnd.push(act);
  };

  toRequest(): Request {
    return lightRequest(this.incoming, () => (this.signal ??= this.abortSignal()));
  }

  async send(response: Response, replica: string): Promise<void> {
    const { status, body } = response;
    const headers: Record<string, string | number> = { [replicaHeader]: replica };
    for (const [name, value] of response.headers) headers[name] = value;
    if (headers['content-type'] === 'text/event-stream' && body !== null) {
      this.outgoing.writeHead(status, headers);
      // A stream may be silent for long, and its client must know that it is open.
      this.outgoing.flushHeaders();
      await this.stream(body, status);
      return;
    }
    const text = body === null ? '' : await response.text();
    this.outcome = outcomeOf(status, text);
    headers['content-length'] = Buffer.byteLength(text);
    this.outgoing.writeHead(status, headers);
    this.outgoing.end(text);
  }

  /** Aborted when the client goes away before its answer is complete. */
  private abortSignal(): AbortSignal {
    const controller = new AbortController();
    this.onEnd(() => {
      if (!this.outgoing.writableFinished) controller.abort();
    });
    return controller.signal;
  }

  private async stream(body: ReadableStream<Uint8Array>, status: number): Promise<void> {
    const outgoing = this.outgoing;
    const reader = body.getReader();
    this.onEnd(() => void reader.cancel().catch(() => undefined));
    for (;;) {
      const { done, value } = await reader.read();
      if (done || outgoing.destroyed) break;
      const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
      this.onStreamed(text);
      const outcome = outcomeOf(status, text);
      if (outcome !== 'ok') this.outcome = outcome;
      if (!outgoing.write(value)) await drainOrClose(outgoing);
    }
    outgoing.end();
  }
}

function drainOrClose(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.once('drain', go).once('close', go);
  });
}

/**
 * A `Request` without a body for the SDKs, which are given the parsed one and read only method, url, headers and
 * signal. Constructing a real one costs a stream and an abort controller, a tenth of what a call costs in all; the
 * SDKs' own Node adapter (`@hono/node-server`) stands on the same trick.
 * @param signal made only when asked for
 */
function lightRequest({ method, rawHeaders }: IncomingMessage, signal: () => AbortSignal): Request {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  const properties = {
    method: { value: method ?? 'GET' },
    url: { value: 'http://localhost/mcp' },
    headers: { value: new Headers(pairs) },
    signal: { get: signal },
  } satisfies { readonly [Property in keyof Request]?: PropertyDescriptor };
  const request: Request = Object.create(Request.prototype, properties);
  return request;
}

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'aborted' };

/** Reads and parses the body once; both eras take it parsed. Most bodies arrive in one chunk and are not copied. */
export function readJsonBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LARGEST_MESSAGE_BYTES) {
        // The rest is read and dropped, so that the client gets to reading the answer.
        rest = first = undefined;
        resolve({ kind: 'too-large' });
      } else if (first === undefined) first = chunk;
      else (rest ??= [first]).push(chunk);
    });
    request.on('end', () => resolve(parse(rest === undefined ? first : Buffer.concat(rest))));
    request.on('error', () => resolve({ kind: 'aborted' }));
  });
}

function parse(bytes: Buffer | undefined): Body {
  if (bytes === undefined) return { kind: 'malformed' };
  try {
    return { kind: 'json', value: JSON.parse(bytes.toString()) };
  } catch {
    return { kind: 'malformed' };
  }
}
