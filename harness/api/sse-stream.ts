import type { Response } from 'express';

interface SseLimits {
  /** Interval of comments, which keep proxies from closing a quiet stream. */
  readonly keepAliveMs: number;
  /** A client with more unread data in memory is dropped; it can resume by Last-Event-ID. */
  readonly bufferedBytes: number;
  /** A client that reads nothing for this long, although there is data for it, is dropped. */
  readonly slowestReadMs: number;
}

const defaults: SseLimits = { keepAliveMs: 15_000, bufferedBytes: 4 * 1024 * 1024, slowestReadMs: 30_000 };

/**
 * A response of server-sent events (WHATWG HTML, section 9.2). Numbers the events, keeps quiet streams alive, and drops
 * slow readers.
 */
export class SseStream {
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  private readonly keepAlive: NodeJS.Timeout;

  constructor(
    private readonly response: Response,
    private readonly limits: SseLimits = defaults,
  ) {
    const gone = new AbortController();
    this.signal = gone.signal;
    response.status(200).set({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    response.write(': connected\n\n');
    this.keepAlive = setInterval(() => this.write(': keep-alive\n\n'), limits.keepAliveMs);
    response.on('close', () => {
      clearInterval(this.keepAlive);
      gone.abort();
    });
    // A connection reset is a normal end of a stream.
    response.on('error', () => gone.abort());
  }

  send(id: number, type: string, data: unknown): void {
    this.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Resolves when the client can take more events, or is gone. */
  async room(): Promise<void> {
    if (!this.response.writableNeedDrain || this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.response.off('drain', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(() => this.response.destroy(), this.limits.slowestReadMs);
      this.response.once('drain', done);
      this.signal.addEventListener('abort', done);
    });
  }

  end(): void {
    clearInterval(this.keepAlive);
    this.response.end();
  }

  private write(text: string): void {
    if (this.signal.aborted || this.response.writableEnded) return;
    if (this.response.writableLength > this.limits.bufferedBytes) {
      this.response.destroy();
      return;
    }
    this.response.write(text);
  }
}

/** The number of the last event the client has seen, from `Last-Event-ID`; 0 when it does not resume. */
export function lastEventId(header: string | string[] | undefined): number {
  const id = Number(typeof header === 'string' ? header : 0);
  return Number.isSafeInteger(id) && id > 0 ? id : 0;
}
