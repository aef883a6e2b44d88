import { describe, expect, jest, test } from '@jest/globals';
import { allKeyPaths } from '../../scenarios/schema/keys/describe-keys.js';
import { misbehaveRows } from './keys/misbehave-rows.js';
import { profileRows } from './keys/profile-rows.js';
import { scenarioRows } from './keys/scenario-rows.js';
import { streamRows } from './keys/stream-rows.js';

// The first row that needs a run waits for it.
jest.setTimeout(180_000);

const rows = { ...scenarioRows, ...profileRows, ...misbehaveRows, ...streamRows };

test('no key of the schemas is without a row here, and no row without a key', () => {
  expect(Object.keys(rows).sort()).toEqual([...allKeyPaths()].sort());
});

describe('every key takes effect:', () => {
  test.each(Object.entries(rows))('%s', async (_key, sees) => {
    await sees();
  });
});
