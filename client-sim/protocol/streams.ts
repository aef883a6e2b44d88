import { z } from 'zod';

/** What workers tell of streams and of what was delivered on them. */

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

/** Of one (stage, profile), in the stage in which it happened. */
export const streamCounts = z.strictObject({
  /** Streams opened without anything to resume from. */
  opened: count,
  /** Opened again with `Last-Event-ID`. */
  resumed: count,
  /** Closed by the server in good order; clients come back. */
  ended: count,
  /** Broken: cut within, or reset. */
  lost: count,
  /** Streams whose client was away and opened them again. */
  returned: count,
  /** `notifications/resources/updated`, with or without a stamp. */
  updates: count,
  /** Events that hold no JSON-RPC message. */
  unreadable: count,
  /** Stamped updates, each counted the first time a subscriber hears of it. */
  delivered: count,
  /** Heard of again. */
  duplicated: count,
  /** Of those delivered: after a later one of the same publisher. */
  outOfOrder: count,
  /** `notifications/progress`, on whatever stream. */
  progress: count,
  /** Requests of the server that were answered. */
  serverRequests: count,
  /** `notifications/cancelled` sent. */
  cancelled: count,
  /** Calls whose event stream was over before the answer, but could be asked to go on. */
  callsBroken: count,
  /** Of those: answered on a stream that went on. */
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
 * What became of one publisher's publications since the last batch. A publisher and its subscribers may live in
 * different workers: sums over all of them say what was lost.
 */
export const flow = z.strictObject({
  /** Slot of the client that publishes. */
  publisher: count,
  /** Publications the server confirmed. */
  published: count,
  /** Publications sent of which that is not known: failed, or never answered. */
  unconfirmed: count,
  /** Subscribers that heard of this publisher for the first time. */
  subscribers: count,
  /** Sum over those of the first number they heard: what was published before they listened. */
  before: count,
  /** Different publications heard of, summed over subscribers. */
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

/** What was counted between two readings of the same counters. */
export function streamsSince(after: Readonly<StreamCounts>, before: Readonly<StreamCounts>): StreamCounts {
  const delta = noStreams();
  for (const name of streamCountNames) delta[name] = after[name] - before[name];
  return delta;
}
