import type { OperationCounts, ReplicaCounts, SessionCounts } from '../merge/contract.js';

const operationCountNames = [
  'offered',
  'sent',
  'succeeded',
  'failed',
  'dropped',
  'lost',
  'unsent',
] as const satisfies readonly (keyof OperationCounts)[];
const sessionCountNames = [
  'sessionsOpened',
  'sessionsClosed',
  'sessionsLost',
  'sessionsAnswered',
  'connectionsOpened',
  'messagesSent',
  'messagesReceived',
  'bytesSent',
  'bytesReceived',
  'lateAnswers',
] as const satisfies readonly (keyof SessionCounts)[];

const replicaCountNames = [
  'succeeded',
  'failed',
  'sessions',
  'opened',
  'moved',
  'moves',
  'unknown',
] as const satisfies readonly (keyof ReplicaCounts)[];

export function noReplica(): ReplicaCounts {
  return { succeeded: 0, failed: 0, sessions: 0, opened: 0, moved: 0, moves: 0, unknown: 0 };
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

export function addOperations(into: OperationCounts, from: Readonly<OperationCounts>): void {
  for (const name of operationCountNames) into[name] += from[name];
}
export function addSessions(into: SessionCounts, from: Readonly<SessionCounts>): void {
  for (const name of sessionCountNames) into[name] += from[name];
}

export function addReplicas(into: ReplicaCounts, from: Readonly<ReplicaCounts>): void {
  for (const name of replicaCountNames) into[name] += from[name];
}

export function addTallies(into: Map<string, number>, from: Iterable<readonly [string, number]>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
}
