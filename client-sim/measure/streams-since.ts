import { noStreams, type StreamCounts, streamCountNames } from '../protocol/streams.js';

/** What was counted between two readings of the same counters. */
export function streamsSince(after: Readonly<StreamCounts>, before: Readonly<StreamCounts>): StreamCounts {
  const delta = noStreams();
  for (const name of streamCountNames) delta[name] = after[name] - before[name];
  return delta;
}
