import { streamCountNames, type StreamCounts } from '../protocol/streams.js';

export { streamCountNames, type StreamCounts };

export function noStreams(): StreamCounts {
  return {
    opened: 0, resumed: 0, ended: 0, lost: 0, returned: 0, updates: 0, unreadable: 0,
    delivered: 0, duplicated: 0, outOfOrder: 0, progress: 0, serverRequests: 0, cancelled: 0,
    callsBroken: 0, callsResumed: 0,
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

/** What was counted between two readings of the same counters. */
export function streamsSince(after: Readonly<StreamCounts>, before: Readonly<StreamCounts>): StreamCounts {
  const delta = noStreams();
  for (const name of streamCountNames) delta[name] = after[name] - before[name];
  return delta;
}
