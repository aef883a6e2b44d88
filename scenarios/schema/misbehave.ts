/** `misbehave` of a profile, resolved: what its clients do wrong on purpose. */

/** When an operation is aborted. */
export const abortMeanings = {
  'mid-handshake': "within the request that would open the connection's session",
  'mid-request': 'when half of the request is sent',
  'after-request': 'when the whole request is sent',
  'mid-answer': 'after the first bytes of the answer',
} as const satisfies Readonly<Record<string, string>>;

export type AbortKind = keyof typeof abortMeanings;
export const abortKinds = Object.keys(abortMeanings) as [AbortKind, ...AbortKind[]];

/** The ways to break a request. Each breaks one thing only. */
export const malformedMeanings = {
  'broken-json': 'half of a message, in whole framing',
  'wrong-framing':
    'a chunk without a size (HTTP), a continuation frame that continues nothing (WebSocket), ' +
    'or a message over two lines',
  'unknown-method': 'a method that no server has',
  'duplicate-id': 'the same request twice at once',
  oversize: 'a correct request that is far too long',
  'not-utf8': 'a text with bytes that are not UTF-8',
  // The rest are about WebSocket frames: RFC 6455, 5.2.
  unmasked: 'a WebSocket frame without a mask',
  'reserved-bits': 'a WebSocket frame with reserved bits set',
  'bad-opcode': 'a WebSocket frame with an unknown opcode',
  'huge-length': 'a WebSocket frame that announces 2^62 bytes',
} as const satisfies Readonly<Record<string, string>>;

export type MalformedKind = keyof typeof malformedMeanings;
export const malformedKinds = Object.keys(malformedMeanings) as [MalformedKind, ...MalformedKind[]];

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
