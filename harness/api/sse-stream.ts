import type { Response } from 'express';

interface SseLimits {
  /** Comments keep proxies from closing a quiet stream. */
  readonly keepAliveMs: number;
  /** What may wait in memory for a client that does not read, before it is dropped; it can resume by Last-Event-ID. */
  readonly bufferedBytes: number;
  /** A client that has taken nothing for this long, while there was something to take, is gone. */
  readonly slowestReadMs: number;
}

const defaults: SseLimits = { keepAliveMs: 15_000, bufferedBytes: 4 * 1024 * 1024, slowestReadMs: 30_000 };

/**
 * One server-sent-events answer (WHATWG HTML, section 9.2): numbered events, keep-alive comments, slow readers dropped.
 */
export class SseStream {
  private readonly keepAlive: NodeJS.Timeout;
  /** Aborted when the client is gone, for whatever reason. */
  readonly signal: AbortSignal;

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
    // A reset connection is an ordinary end of a stream.
    response.on('error', () => gone.abort());
  }

  send(id: number, type: string, data: unknown): void {
    this.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Resolves when the client has room for more, or is gone. */
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

/** What the client has seen: `Last-Event-ID` when it resumes, else 0. */
export function lastEventId(header: string | string[] | undefined): number {
  const id = Number(typeof header === 'string' ? header : 0);
  return Number.isSafeInteger(id) && id > 0 ? id : 0;
}
