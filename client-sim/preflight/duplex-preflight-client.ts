import { LEGACY_REVISIONS } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import {
  asControlAnswer,
  type Control,
  type ControlAnswer,
  type ControlOutcome,
  NOTIFICATION_SENT,
  readControl,
} from '../transport/control.js';
import {
  afterword,
  type CreateLink,
  type DuplexLink,
  type DuplexOwner,
  type LinkLoss,
  onStderr,
} from '../transport/duplex/duplex-link.js';
import type { RequestKind, SessionHeaders } from '../transport/request-head.js';
import { parseRetryAfter } from '../transport/retry.js';
import { answerServerRequest } from '../transport/session-messages.js';
import type { ProfileShared } from '../transport/shared.js';
import type { PreflightClient } from './preflight-client.js';

/** One message at a time over a link like the load's, with promises. The next message replaces a link that was lost. */
export class DuplexPreflightClient implements PreflightClient, DuplexOwner {
  sessionHeaders: SessionHeaders = {};
  private link: DuplexLink;
  /** A link connects once. */
  private hasConnected = false;
  private pending: string | undefined;
  private awaited: Control | undefined;

  /** @throws TypeError for an endpoint that cannot be spoken to */
  constructor(
    private readonly endpoint: Endpoint,
    private readonly createLink: CreateLink,
    private readonly shared: ProfileShared,
  ) {
    this.link = this.newLink();
  }

  exchange(
    _era: PinnedProtocol['era'],
    _kind: RequestKind,
    body: string,
    id: number | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.giveUp(timeoutMs), timeoutMs);
      const done = (outcome: ControlOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.awaited = { id, done };
      this.pending = body;
      if (this.link.isReady) return this.onReady();
      if (this.hasConnected) this.restart();
      this.hasConnected = true;
      this.link.connect();
    });
  }

  requestText(_era: PinnedProtocol['era'], _kind: RequestKind, body: string): string {
    return body;
  }

  responseText(answer: ControlAnswer): string {
    const { serverWords = '' } = this.link;
    const text = answer === NOTIFICATION_SENT ? '(a notification has no answer)' : answer.body;
    return serverWords === '' ? text : `${text}\n${onStderr(serverWords)}`;
  }

  close(): void {
    if (this.link.isReady) this.link.close();
    else this.link.destroy(false);
  }

  restart(): void {
    this.link.destroy(false);
    this.link = this.newLink();
    this.hasConnected = false;
  }

  onReady(): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending === undefined) return;
    this.link.sendMessage(pending);
    if (this.awaited !== undefined && this.awaited.id === undefined)
      this.settle({ kind: 'answered', answer: NOTIFICATION_SENT });
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const read = readControl(bytes, start, end, this.awaited?.id);
    if (read.kind === 'answer') this.settle({ kind: 'answered', answer: asControlAnswer(read.text) });
    else if (read.kind === 'request') this.link.sendMessage(answerServerRequest(read.request));
  }

  onLost({ problem, retryAfter }: LinkLoss): void {
    const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
    const failure: Failure = retryAfterMs === undefined ? problem : { ...problem, retryAfterMs };
    this.settle({ kind: 'failed', failure });
  }

  onDrained(): void {}
  // Only requests of the load are refused one by one.
  onRefusedRequest(): void {}

  private newLink(): DuplexLink {
    const pinned = { era: 'legacy', version: LEGACY_REVISIONS[0], sessions: false } as const;
    return this.createLink(this, this.shared, { endpoint: this.endpoint, pinned, connections: 1, pipeline: 1 });
  }

  /** A peer that does not answer is in an unknown state: the next message goes to a new one. */
  private giveUp(timeoutMs: number): void {
    const words = afterword(this.link.serverWords);
    this.restart();
    this.settle({
      kind: 'failed',
      failure: { category: 'timeout', detail: `no answer within ${timeoutMs} ms${words}` },
    });
  }

  private settle(outcome: ControlOutcome): void {
    const { awaited } = this;
    this.awaited = undefined;
    awaited?.done(outcome);
  }
}
