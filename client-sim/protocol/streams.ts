/** The part of telemetry about streams and what was delivered on them. */
import { z } from 'zod';

const count = z.number().int().min(0);

const streamCountNames = [
  'opened',
  'resumed',
  'ended',
  'lost',
  'returned',
  'updates',
  'unreadable',
  'delivered',
  'duplicated',
  'outOfOrder',
  'progress',
  'serverRequests',
  'cancelled',
  'callsBroken',
  'callsResumed',
] as const;

/** Counts of one (stage, profile), in the stage in which it happened. */
export const streamCounts = z.strictObject({
  /** Streams that were opened anew. */
  opened: count,
  /** Streams resumed with `Last-Event-ID`. */
  resumed: count,
  /** Closed by the server in an orderly way; clients open them again. */
  ended: count,
  /** Broken: cut off or reset. */
  lost: count,
  /** Opened again by a client that had been away. */
  returned: count,
  /** `notifications/resources/updated`, with or without a stamp. */
  updates: count,
  /** Events that hold no JSON-RPC message. */
  unreadable: count,
  /** Stamped updates, each counted the first time that a subscriber receives it. */
  delivered: count,
  /** Stamped updates received again. */
  duplicated: count,
  /** Delivered updates that came after a later one of the same publisher. */
  outOfOrder: count,
  /** `notifications/progress`, on any stream. */
  progress: count,
  /** Requests of the server that were answered. */
  serverRequests: count,
  /** `notifications/cancelled` sent. */
  cancelled: count,
  /** Calls whose event stream ended before the answer but could be resumed. */
  callsBroken: count,
  /** Broken calls that were answered on a resumed stream. */
  callsResumed: count,
});
export type StreamCounts = z.infer<typeof streamCounts>;

export function noStreams(): StreamCounts {
  return {
    opened: 0,
    resumed: 0,
    ended: 0,
    lost: 0,
    returned: 0,
    updates: 0,
    unreadable: 0,
    delivered: 0,
    duplicated: 0,
    outOfOrder: 0,
    progress: 0,
    serverRequests: 0,
    cancelled: 0,
    callsBroken: 0,
    callsResumed: 0,
  };
}

/** @returns whether anything was added */
export function addStreams(into: StreamCounts, from: Readonly<StreamCounts>): boolean {
  let any = 0;
  for (const name of streamCountNames) {
    into[name] += from[name];
    any |= from[name];
  }
  return any !== 0;
}

/**
 * The publications of one publisher since the last batch. A publisher and its subscribers may be in different workers:
 * sums over all workers show how many were lost.
 */
export const flow = z.strictObject({
  /** Slot of the publishing client. */
  publisher: count,
  /** Publications that the server confirmed. */
  published: count,
  /** Publications sent that failed or were never answered. */
  unconfirmed: count,
  /** Subscribers that received something from this publisher for the first time. */
  subscribers: count,
  /** Sum of the first numbers that those received: what was published before they listened. */
  before: count,
  /** Different publications received, summed over subscribers. */
  delivered: count,
});
export type Flow = z.infer<typeof flow>;

export function sumOfFlows(a: Flow, b: Flow): Flow {
  return {
    publisher: a.publisher,
    published: a.published + b.published,
    unconfirmed: a.unconfirmed + b.unconfirmed,
    subscribers: a.subscribers + b.subscribers,
    before: a.before + b.before,
    delivered: a.delivered + b.delivered,
  };
}

/** The difference between two readings of the same counters. */
export function streamsSince(after: Readonly<StreamCounts>, before: Readonly<StreamCounts>): StreamCounts {
  const delta = noStreams();
  for (const name of streamCountNames) delta[name] = after[name] - before[name];
  return delta;
}
