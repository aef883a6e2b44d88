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
  /** Slow reader: each socket is read no faster than this. */
  readonly readBytesPerSecond?: number;
  /** Slow writer: bytes leave each socket no faster than this. */
  readonly writeBytesPerSecond?: number;
  readonly abort?: AbortPlan;
  readonly malformed?: MalformedPlan;
  /** Each session is silent this long before each of its operations. */
  readonly idleMs?: number;
  readonly reconnect?: ReconnectPlan;
}

export interface AbortPlan {
  /** The share of operations whose connection is closed before the answer is complete: above 0, at most 1. */
  readonly share: number;
  /** Equally likely; at least one. */
  readonly kinds: readonly AbortKind[];
  /** close: as when a program ends; reset: with RST, as when a program crashes. */
  readonly how: 'close' | 'reset';
}

export interface MalformedPlan {
  /** The share of operations: above 0, and with `abort` at most 1. */
  readonly share: number;
  /** Equally likely; at least one. */
  readonly kinds: readonly MalformedKind[];
  /** The length of the body of an `oversize` request. */
  readonly oversizeBytes: number;
}

export interface ReconnectPlan {
  /** Run time between two losses. */
  readonly everyMs: number;
  /** All clients of the profile at the same moment of run time, on all workers; else evenly spread. */
  readonly together: boolean;
  /** keep: new connections in the same session; new: the old session is left behind, and another one is opened. */
  readonly session: 'keep' | 'new';
}
