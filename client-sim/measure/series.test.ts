import { expect, test } from '@jest/globals';
import { histogramNames } from '../protocol/telemetry.js';
import {
  COUNTERS,
  DROPPED,
  FAILED,
  FAILURE,
  LAG,
  LATENCY,
  LOST,
  OFFERED,
  REPLICA_FAILED,
  REPLICA_MOVED,
  REPLICA_MOVES,
  REPLICA_OPENED,
  REPLICA_SESSIONS,
  REPLICA_SUCCEEDED,
  REPLICA_UNKNOWN_SESSIONS,
  SENT,
  SERVICE,
  SUCCEEDED,
  UNSENT,
} from './series.js';
import { REPLICA_COUNTS } from './snapshot.js';

test.each([
  ['counter', COUNTERS, { offered: OFFERED, sent: SENT, succeeded: SUCCEEDED, failed: FAILED }],
  ['counter', COUNTERS, { dropped: DROPPED, lost: LOST, unsent: UNSENT }],
  ['histogram', histogramNames, { latency: LATENCY, service: SERVICE, lag: LAG, failure: FAILURE }],
  ['replica', REPLICA_COUNTS, { succeeded: REPLICA_SUCCEEDED, failed: REPLICA_FAILED, sessions: REPLICA_SESSIONS }],
  ['replica', REPLICA_COUNTS, { opened: REPLICA_OPENED, moved: REPLICA_MOVED, moves: REPLICA_MOVES }],
  ['replica', REPLICA_COUNTS, { unknown: REPLICA_UNKNOWN_SESSIONS }],
])('the %s numbers are the indexes of their names', (_, names: readonly string[], numbers) => {
  for (const [name, number] of Object.entries(numbers)) expect([name, names[number]]).toEqual([name, name]);
});
