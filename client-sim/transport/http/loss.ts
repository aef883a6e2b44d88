import type { Problem } from '../../mcp/judge-message.js';

export function lost(detail: string): Problem {
  return { category: 'stream_lost', detail };
}

/** Connecting to a name tries all its addresses; the error of it all says nothing, its parts do. */
export function describeError(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ')
    : error.message;
}
