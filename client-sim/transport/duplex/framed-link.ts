import type { Writable } from 'node:stream';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../measure/failure.js';
import type { ProfileShared } from '../shared.js';
import { newOutbox, type Outbox, whenFlushed } from '../socket/outbox.js';
import type { Pace } from '../socket/pace.js';
import { type DuplexLink, type DuplexOwner, NO_LIMIT } from './duplex-link.js';
import type { Framing, FramingHandler } from './framing.js';

/** Bytes not yet taken by the server beyond which no more requests are sent. */
const MAX_BACKLOG_BYTES = 1_048_576;

/** A link over one stream of bytes, in which a framing separates the messages. */
export abstract class FramedLink implements DuplexLink, FramingHandler {
  startedAtMs = 0;
  nowMs = 0;
  isBacklogged = false;
  /** Flushes requested within a read are done at its end: one write for everything that its messages caused. */
  protected reading = false;
  protected readonly outbox: Outbox;

  /** @param isAsync whether a write may leave bytes to be taken later, as over TLS */
  constructor(
    protected readonly owner: DuplexOwner,
    protected readonly shared: ProfileShared,
    protected readonly framing: Framing,
    protected readonly isAsync: boolean,
    pace: Pace,
  ) {
    this.outbox = newOutbox(shared, pace);
  }

  abstract readonly isReady: boolean;
  /** Undefined before the link is connected, and after it has ended. */
  protected abstract readonly output: Writable | undefined;

  abstract connect(): void;
  abstract close(): void;
  abstract fail(problem: Problem): void;
  abstract destroy(reset: boolean): void;
  abstract onAccepted(): void;
  abstract onRefused(problem: Problem, retryAfter: string, answer: string): void;
  abstract onReply(frame: Buffer): void;
  abstract onPeerClose(how: string): void;
  /** The framing cannot read what came; see `Framing.problem`. */
  protected abstract onUnreadable(): void;

  get room(): number {
    return this.isBacklogged ? 0 : NO_LIMIT;
  }

  send(template: RequestTemplate, id: number, draw: Draw): void {
    const { framing } = this;
    const out = this.outbox.reserve(framing.maxBytes(template));
    out.used = framing.writeRequest(out.bytes, out.used, template, id, draw);
    this.shared.counters.messagesSent++;
  }

  // The request is on its way: there is nothing to take back.
  abandon(): void {}

  sendMessage(message: string): void {
    if (!this.isReady) return;
    this.shared.counters.messagesSent++;
    this.add(this.framing.frame(message));
    this.flush();
  }

  sendRaw(pieces: readonly Buffer[], sent: () => void): void {
    const { output } = this;
    if (!this.isReady || output === undefined) return;
    this.shared.counters.messagesSent += pieces.length;
    for (const piece of pieces) this.add(piece);
    this.flush();
    this.outbox.whenWritten(() => whenFlushed(output, sent));
  }

  flush(): void {
    const { outbox, output } = this;
    if (this.reading || outbox.isEmpty || output === undefined || !this.isReady) return;
    outbox.write(output, this.isAsync);
    if (output.writableLength > MAX_BACKLOG_BYTES && !this.isBacklogged) this.awaitDrain(output);
  }

  rejectText(): void {
    this.framing.rejectText();
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    this.owner.onMessage(bytes, start, end);
  }

  /** Reads everything in bytes[0, end). */
  protected read(bytes: Buffer, end: number): void {
    const { shared, owner } = this;
    this.nowMs = shared.now();
    shared.counters.bytesReceived += end;
    this.reading = true;
    owner.onReadStart?.(this.nowMs);
    const isReadable = this.framing.read(bytes, end, this);
    // The engine flushes at the end of its turn, once, and takes the time of that for the time of the write.
    this.reading = false;
    owner.onReadEnd?.();
    if (isReadable) this.flush();
    else this.onUnreadable();
  }

  protected add(bytes: Buffer): void {
    const out = this.outbox.reserve(bytes.length);
    out.used += bytes.copy(out.bytes, out.used);
  }

  private awaitDrain(output: Writable): void {
    this.isBacklogged = true;
    output.once('drain', () => {
      this.isBacklogged = false;
      if (this.isReady) this.owner.onDrained();
    });
  }
}
