import type { Problem } from '../../mcp/judge-message.js';
import type { Failure } from '../../measure/failure.js';
import { type AnswerReader, CONTROL_TICKET } from './answer-reader.js';
import { handOver } from './broken-call.js';
import type { ConnectionOwner } from './connection-owner.js';

/**
 * Answers everything in flight on a connection that is no more, oldest first; what its owner sends meanwhile belongs to
 * the next connection.
 * @param reader of the connection that was @param first of the oldest, where it differs from the rest
 * @returns what the last of them was told
 */
export function failAll(
  reader: AnswerReader,
  owner: ConnectionOwner,
  nowMs: number,
  first: Problem | undefined,
  rest: Problem,
): Failure | undefined {
  const { ring } = reader;
  let failure: Failure | undefined;
  let left = ring.count;
  let problem = first ?? rest;
  if (left > 0 && first?.category === 'stream_lost' && handOver(reader, owner)) {
    left--;
    problem = rest;
  }
  for (; left > 0; left--, problem = rest) {
    const { ticket, abandoned } = ring;
    if (!abandoned) failure = owner.describe(problem, reader);
    ring.shift();
    if (abandoned || failure === undefined) continue;
    if (ticket === CONTROL_TICKET) reader.takeControl()?.done({ kind: 'failed', failure });
    else owner.onTicket(ticket, nowMs, failure, 0);
  }
  return failure;
}
