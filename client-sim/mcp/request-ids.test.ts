import { expect, test } from '@jest/globals';
import { idShares, LAST_ID, LOAD_IDS, misbehavingIds, PREFLIGHT_IDS, shareOfIds } from '../protocol/id-ranges.js';
import { IdBlocks, isRunId, RequestIds } from './request-ids.js';

test('shares of workers and threads cover all ids, and no two overlap', () => {
  const workers = idShares([
    { id: 'w1', threads: 1 },
    { id: 'w2', threads: 3 },
    { id: 'w7', threads: 2 },
  ]);
  const shares = [...workers.values()];
  const ranges = [PREFLIGHT_IDS, ...shares];
  for (const [index, range] of ranges.slice(1).entries()) expect(range.first).toBe((ranges[index]?.last ?? 0) + 1);
  expect(shares.at(-1)?.last).toBe(LOAD_IDS.last);
  const misbehaving = shares.map(misbehavingIds);
  for (const [index, range] of misbehaving.entries())
    expect(range.first).toBe((misbehaving[index - 1] ?? LOAD_IDS).last + 1);
  expect(misbehaving.at(-1)?.last).toBe(LAST_ID);
  const [first, second] = [shareOfIds(LOAD_IDS, 0, 1, 2), shareOfIds(LOAD_IDS, 1, 2, 2)];
  expect([first.first, second.first, second.last]).toEqual([LOAD_IDS.first, first.last + 1, LOAD_IDS.last]);
});

test('all ids of a thread differ until its share is used up, and then begin again', () => {
  const ids = new RequestIds({ first: 1_500_000_000, last: 1_500_000_999 });
  const [one, other] = [new IdBlocks(ids), new IdBlocks(ids)];
  const taken = Array.from({ length: 400 }, (_, index) =>
    ([ids, one, other][index % 3] as RequestIds | IdBlocks).take(),
  );
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.every((id) => isRunId(id) && String(id).length === 10)).toBe(true);
  const ofOne = taken.filter((_, index) => index % 3 === 1);
  const ofOther = taken.filter((_, index) => index % 3 === 2);
  expect([ofOne.every((id) => one.owns(id)), ofOther.some((id) => one.owns(id))]).toEqual([true, false]);
  for (let more = 0; more < 2000; more++) expect(isRunId(ids.take())).toBe(true);
});

test('what a client never sends is none of its ids', () => {
  for (const value of [7, '1500000000', 1.5e9 + 0.5, null, undefined, 2 ** 31]) expect(isRunId(value)).toBe(false);
});
