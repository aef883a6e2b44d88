import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Outcome, outcomeOf } from '../mcp/answer.js';
import { replicaHeader } from '../mcp/replica-meta.js';
import { lightRequest } from './light-request.js';

/**
 * One HTTP request and its answer, between `node:http` and the web-standard `Request` and `Response` the SDKs speak.
 */
export class Exchange {
  private readonly atEnd: (() => void)[] = [];
  private outcome: Outcome = 'ok';
  private signal: AbortSignal | undefined;

  /**
   * @param streamed told of every piece of a stream, when it is written
   * @param ended told once, with the outcome, when the answer is written to the last byte or the client has gone
   */
  constructor(
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    ended: (outcome: Outcome) => void,
    private readonly streamed: (text: string) => void = () => undefined,
  ) {
    outgoing.once('close', () => {
      for (const act of this.atEnd) act();
      ended(outgoing.writableFinished ? this.outcome : 'aborted');
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
      // A stream may say nothing for long: its client must know that it is open.
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
      this.streamed(text);
      const outcome = outcomeOf(status, text);
      if (outcome !== 'ok') this.outcome = outcome;
      if (!outgoing.write(value)) await roomOrEnd(outgoing);
    }
    outgoing.end();
  }
}

function roomOrEnd(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.once('drain', go).once('close', go);
  });
}
