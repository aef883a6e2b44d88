import type { OperationCounts, ReplicaCounts, SessionCounts } from './contract.js';

export const operationCountNames = ['offered', 'sent', 'succeeded', 'failed', 'dropped', 'lost', 'unsent'] as const satisfies readonly (keyof OperationCounts)[];
export const sessionCountNames = [
  'sessionsOpened', 'sessionsClosed', 'sessionsLost', 'sessionsAnswered', 'connectionsOpened',
  'messagesSent', 'messagesReceived', 'bytesSent', 'bytesReceived', 'lateAnswers',
] as const satisfies readonly (keyof SessionCounts)[];

export const replicaCountNames = ['succeeded', 'failed', 'sessions', 'opened', 'moved', 'moves', 'unknown'] as const satisfies readonly (keyof ReplicaCounts)[];

export const noReplica = (): ReplicaCounts => ({ succeeded: 0, failed: 0, sessions: 0, opened: 0, moved: 0, moves: 0, unknown: 0 });
export const noOperations = (): OperationCounts => ({ offered: 0, sent: 0, succeeded: 0, failed: 0, dropped: 0, lost: 0, unsent: 0 });
export const noSessions = (): SessionCounts => ({
  sessionsOpened: 0, sessionsClosed: 0, sessionsLost: 0, sessionsAnswered: 0, connectionsOpened: 0,
  messagesSent: 0, messagesReceived: 0, bytesSent: 0, bytesReceived: 0, lateAnswers: 0,
});

export const addOperations = (into: OperationCounts, from: Readonly<OperationCounts>): void => {
  for (const name of operationCountNames) into[name] += from[name];
};
export const addSessions = (into: SessionCounts, from: Readonly<SessionCounts>): void => {
  for (const name of sessionCountNames) into[name] += from[name];
};

export const addReplicas = (into: ReplicaCounts, from: Readonly<ReplicaCounts>): void => {
  for (const name of replicaCountNames) into[name] += from[name];
};

export const addTallies = (into: Map<string, number>, from: Iterable<readonly [string, number]>): void => {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
};
