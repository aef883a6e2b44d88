/** The sums that telemetry is added up in: by operations, by sessions, by replicas. */

export interface OperationCounts {
  offered: number;
  sent: number;
  succeeded: number;
  failed: number;
  dropped: number;
  lost: number;
  unsent: number;
}

export interface SessionCounts {
  sessionsOpened: number;
  sessionsClosed: number;
  sessionsLost: number;
  /** Sessions with a correct answer; each counts once in each stage. */
  sessionsAnswered: number;
  connectionsOpened: number;
  messagesSent: number;
  messagesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  lateAnswers: number;
}

/** What one replica did; the protocol's `replicaSeries` explains each count. */
export interface ReplicaCounts {
  succeeded: number;
  failed: number;
  sessions: number;
  opened: number;
  moved: number;
  moves: number;
  unknown: number;
}

export function noOperations(): OperationCounts {
  return { offered: 0, sent: 0, succeeded: 0, failed: 0, dropped: 0, lost: 0, unsent: 0 };
}

export function noSessions(): SessionCounts {
  return {
    sessionsOpened: 0,
    sessionsClosed: 0,
    sessionsLost: 0,
    sessionsAnswered: 0,
    connectionsOpened: 0,
    messagesSent: 0,
    messagesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    lateAnswers: 0,
  };
}

export function noReplica(): ReplicaCounts {
  return { succeeded: 0, failed: 0, sessions: 0, opened: 0, moved: 0, moves: 0, unknown: 0 };
}

const sessionKeys = Object.keys(noSessions()) as (keyof SessionCounts)[];
const replicaKeys = Object.keys(noReplica()) as (keyof ReplicaCounts)[];

/** Written out: it is called for each series of each batch. */
export function addOperations(into: OperationCounts, from: Readonly<OperationCounts>): void {
  into.offered += from.offered;
  into.sent += from.sent;
  into.succeeded += from.succeeded;
  into.failed += from.failed;
  into.dropped += from.dropped;
  into.lost += from.lost;
  into.unsent += from.unsent;
}

export function addSessions(into: SessionCounts, from: Readonly<SessionCounts>): void {
  for (const key of sessionKeys) into[key] += from[key];
}

export function addReplica(into: ReplicaCounts, from: Readonly<ReplicaCounts>): void {
  for (const key of replicaKeys) into[key] += from[key];
}

export function addTallies(into: Map<string, number>, from: Iterable<readonly [string, number]>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
}
