/** What a profile does wrong on purpose, resolved; see `keys/misbehave-schema.ts` for what each key means. */

/** Where an operation is left: before its session, within its request, after it, within its answer. */
export const abortKinds = ['mid-handshake', 'mid-request', 'after-request', 'mid-answer'] as const;
export type AbortKind = (typeof abortKinds)[number];

/** Ways to break a request, each one thing only. The last four are about WebSocket frames (RFC 6455, 5.2). */
export const malformedKinds = [
  'broken-json',
  'wrong-framing',
  'unknown-method',
  'duplicate-id',
  'oversize',
  'not-utf8',
  'unmasked',
  'reserved-bits',
  'bad-opcode',
  'huge-length',
] as const;
export type MalformedKind = (typeof malformedKinds)[number];

export interface MisbehavePlan {
  /** A true slow reader: each socket is drained no faster than this. */
  readonly readBytesPerSecond?: number;
  /** A slow writer: what each socket sends leaves no faster than this. */
  readonly writeBytesPerSecond?: number;
  readonly abort?: AbortPlan;
  readonly malformed?: MalformedPlan;
  /** Each session is left alone this long before each of its operations. */
  readonly idleMs?: number;
  readonly reconnect?: ReconnectPlan;
}

export interface AbortPlan {
  /** Of operations, above 0 and at most 1, whose connection is closed before the answer is whole. */
  readonly share: number;
  /** Equally likely; at least one. */
  readonly kinds: readonly AbortKind[];
  /** close: as a program does that ends; reset: with RST, as one that crashes. */
  readonly how: 'close' | 'reset';
}

export interface MalformedPlan {
  /** Of operations, above 0; with `abort` at most 1. */
  readonly share: number;
  /** Equally likely; at least one. */
  readonly kinds: readonly MalformedKind[];
  /** Of the body of an `oversize` request. */
  readonly oversizeBytes: number;
}

export interface ReconnectPlan {
  /** Run time between two losses. */
  readonly everyMs: number;
  /**
   * All clients of the profile at the same moment of run time, on whatever worker; else each at its own, evenly spread.
   */
  readonly together: boolean;
  /**
   * keep: new connections, the same session; new: the old session is left behind and another one opened. Only HTTP's
   * can outlive connections.
   */
  readonly session: 'keep' | 'new';
}
