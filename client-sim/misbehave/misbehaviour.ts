import type { MisbehaviourKind } from '../load/draw-misbehaviour.js';
import type { Failure } from '../measure/failure.js';
import type { RequestKind } from '../transport/request-head.js';
import type { Pace } from '../transport/socket/pace.js';

/** One operation that misbehaves. */
export interface Misbehaviour {
  begin(): void;
  /** The client no longer waits for it; `done` is not called. */
  cancel(): void;
}

export interface MisbehaviourOptions {
  readonly misbehaviourKind: MisbehaviourKind;
  /** JSON-RPC id of the request, and the message as it should be. */
  readonly id: number;
  readonly body: string;
  /** The headers of its HTTP request. */
  readonly kind: RequestKind;
  /** Called once, never within `begin`. Undefined: the server answered with a result, as if nothing were wrong. */
  readonly done: (failure: Failure | undefined) => void;
}

/**
 * The pace of a connection that is closed within an answer: reads are shorter than any answer, and soon follow each
 * other.
 */
export const MID_ANSWER_PACE: Pace = { readBytesPerSecond: 64_000, readPieceBytes: 64 };

/** When the connection is closed on purpose; undefined: it waits for the server's reaction. */
export function closedAfterSending(misbehaviourKind: MisbehaviourKind): string | undefined {
  switch (misbehaviourKind) {
    case 'abort/mid-handshake':
      return 'within its handshake';
    case 'abort/mid-request':
      return 'when half of it was sent';
    case 'abort/after-request':
      return 'when it was sent';
    default:
      return undefined;
  }
}

export const CLOSED_WITHIN_ANSWER = 'after the first bytes of its answer';

/** @param when see `closedAfterSending` */
export function closedOnPurpose(when: string): Failure {
  return { category: 'aborted_by_us', detail: `the connection of this request was closed on purpose ${when}` };
}
