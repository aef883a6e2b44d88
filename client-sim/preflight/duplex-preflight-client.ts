import type { Failure } from '../measure/failure.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import {
  asControlAnswer,
  type Control,
  type ControlAnswer,
  type ControlOutcome,
  NOTIFICATION_SENT,
  readControl,
} from '../transport/control.js';
import type { DuplexOwner, Loss } from '../transport/duplex/duplex-connection.js';
import type { DuplexLink } from '../transport/duplex/duplex-link.js';
import type { RequestKind } from '../transport/request-head.js';
import { parseRetryAfter } from '../transport/retry.js';
import { answerServerRequest } from '../transport/session-messages.js';
import { createEngineWire, createWireCounters, createWireShared, type WireShared } from '../transport/shared.js';
import type { PreflightClient } from './preflight-client.js';

/**
 * One message at a time over a connection like the load's, with promises. One that was lost is made again by the next
 * message.
 */
export class DuplexPreflightClient implements PreflightClient, DuplexOwner {
  sessionHeaders: Pick<RequestKind, 'sessionId' | 'version'> = {};
  private readonly shared: WireShared = createWireShared(createEngineWire(), createWireCounters());
  private readonly newLink: () => DuplexLink;
  private connection: DuplexLink | undefined;
  private pending: string | undefined;
  private awaited: Control | undefined;

  /** @throws TypeError for an endpoint that cannot be spoken to */
  constructor(newLink: (owner: DuplexOwner, shared: WireShared) => DuplexLink) {
    this.newLink = () => newLink(this, this.shared);
  }

  exchange(
    _era: PinnedProtocol['era'],
    _kind: RequestKind,
    body: string,
    id: number | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () =>
          this.settle({ kind: 'failed', failure: { category: 'timeout', detail: `no answer within ${timeoutMs} ms` } }),
        timeoutMs,
      );
      const done = (outcome: ControlOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.awaited = { id, done };
      this.pending = body;
      if (this.connection?.isReady === true) return this.onReady();
      this.connection?.cut(false);
      this.connection = this.newLink();
      this.connection.connect();
    });
  }

  requestText(_era: PinnedProtocol['era'], _kind: RequestKind, body: string): string {
    return body;
  }

  responseText(answer: ControlAnswer): string {
    return answer === NOTIFICATION_SENT ? '(a notification has no answer)' : answer.body;
  }

  close(): void {
    if (this.connection?.isReady === true) this.connection.leave();
    else this.connection?.cut(false);
  }

  onReady(): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending === undefined) return;
    this.connection?.say(pending);
    if (this.awaited !== undefined && this.awaited.id === undefined)
      this.settle({ kind: 'answered', answer: NOTIFICATION_SENT });
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const read = readControl(bytes, start, end, this.awaited?.id);
    if (read.kind === 'answer') this.settle({ kind: 'answered', answer: asControlAnswer(read.text) });
    else if (read.kind === 'request') this.connection?.say(answerServerRequest(read.request));
  }

  onLost({ problem, retryAfter }: Loss): void {
    const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
    const failure: Failure = retryAfterMs === undefined ? problem : { ...problem, retryAfterMs };
    this.settle({ kind: 'failed', failure });
  }

  onDrained(): void {}
  // Only requests of the load can be refused by themselves.
  onRefusedRequest(): void {}

  private settle(outcome: ControlOutcome): void {
    const { awaited } = this;
    this.awaited = undefined;
    awaited?.done(outcome);
  }
}
