import { expect, test } from '@jest/globals';
import { allKeyPaths } from '../../scenarios/schema/keys/describe-keys.js';
import { profileRows as quietProfileRows } from '../alone/keys/profile-rows.js';
import { scenarioRows as quietScenarioRows } from '../alone/keys/scenario-rows.js';
import { testRows } from '../support/key-rows.js';
import { profileRows } from './keys/profile-rows.js';
import { scenarioRows } from './keys/scenario-rows.js';
import { streamRows } from './keys/stream-rows.js';
import { upstreamRows } from './keys/upstream-rows.js';
import { misbehaveRows } from './misbehaviour/rows.js';
import { transportRows } from './transports/rows.js';

/** Each is run where its runs are made: those of the first line in `tests/alone/keys.test.ts`. */
const tables = [
  ...[quietScenarioRows, quietProfileRows],
  ...[scenarioRows, profileRows, streamRows, upstreamRows],
  ...[misbehaveRows, transportRows],
];

test('every key of the schemas has a row in one of the tables, and every row a key', () => {
  expect(tables.flatMap((rows) => Object.keys(rows)).toSorted()).toEqual([...allKeyPaths()].toSorted());
});

testRows({ ...scenarioRows, ...profileRows, ...streamRows, ...upstreamRows });
