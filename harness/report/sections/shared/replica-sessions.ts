import { z } from 'zod';
import type { ReplicaCounts } from '../../../analysis/facts/counts.js';
import { count } from './fields.js';

/** Sessions by the replica that answered them; in the stateless era a session is a client's set of connections. */
export const replicaSessions = z.strictObject({
  /** Sessions that it answered, once in each stage. */
  answered: count,
  /** Sessions that it answered before any other replica did. */
  opened: count,
  /** Sessions that another replica had answered before, once in each stage, and the answers that moved. */
  movedHere: count,
  moves: count,
  /** Answers in which it said that it does not know the session. */
  unknown: count,
});

export function sessionsOf({
  sessions,
  opened,
  moved,
  moves,
  unknown,
}: Readonly<ReplicaCounts>): z.infer<typeof replicaSessions> {
  return { answered: sessions, opened, movedHere: moved, moves, unknown };
}
