import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  allocate,
  allocateByRole,
  allocationKey,
  type SlotSet,
  slotIndexes,
  slotSets,
  splitSlots,
} from './allocate.js';
import type { ProfilePlan, SessionPlan } from './plan.js';

type Allocated = Pick<ProfilePlan, 'clients' | 'firstSlot' | 'session'>;

function profilesOf(
  shapes: readonly { readonly clients: number; readonly pool: number | undefined }[],
): readonly Allocated[] {
  let firstSlot = 0;
  return shapes.map(({ clients, pool }) => {
    const session: SessionPlan = pool === undefined ? { mode: 'reuse' } : { mode: 'pool', size: pool };
    const profile = { clients, firstSlot, session };
    firstSlot += clients;
    return profile;
  });
}

function shape(pool: fc.Arbitrary<number | undefined>) {
  return fc.array(fc.record({ clients: fc.integer({ min: 1, max: 60 }), pool }), { minLength: 1, maxLength: 4 });
}
const plain = shape(fc.constant(undefined)).map(profilesOf);
const mixed = shape(fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })).map(profilesOf);
const parts = fc.integer({ min: 1, max: 9 });

/** `profile:index` of every client in the sets. */
function clients(sets: readonly SlotSet[]): readonly string[] {
  return sets.flatMap((set) => slotIndexes(set).map((index) => `${set.profile}:${index}`));
}

function all(profiles: readonly Allocated[]): readonly string[] {
  return profiles.flatMap((profile, number) =>
    Array.from({ length: profile.clients }, (_, index) => `${number}:${index}`),
  );
}

function spread(counts: readonly number[]) {
  return Math.max(...counts) - Math.min(...counts);
}

describe('allocation', () => {
  test('10 clients on 3 workers are 4, 3, 3', () => {
    const shares = allocate(profilesOf([{ clients: 10, pool: undefined }]), 3);
    expect(shares.map((share) => clients(share))).toEqual([
      ['0:0', '0:3', '0:6', '0:9'],
      ['0:1', '0:4', '0:7'],
      ['0:2', '0:5', '0:8'],
    ]);
  });

  test('many profiles of one client each do not all go to the first worker', () => {
    const one = { clients: 1, pool: undefined };
    expect(allocate(profilesOf([one, one, one, one]), 2).map((share) => clients(share))).toEqual([
      ['0:0', '2:0'],
      ['1:0', '3:0'],
    ]);
  });

  test('every client has exactly one place', () => {
    fc.assert(
      fc.property(mixed, parts, (profiles, count) => {
        const shares = allocate(profiles, count);
        expect(shares).toHaveLength(count);
        expect(shares.flatMap(clients).sort()).toEqual([...all(profiles)].sort());
      }),
    );
  });

  test('a million clients dealt to a thousand workers come back, each once, whatever their profiles', () => {
    const clientsInAll = 1_000_000;
    const [workers, most] = [1000, 6];
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: most });
    fc.assert(
      fc.property(sizes, fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }), (weights, pool) => {
        const weight = weights.reduce((sum, one) => sum + one, 0);
        const shapes = weights.map((one) => ({ clients: Math.floor((clientsInAll * one) / weight), pool: undefined }));
        const rest = clientsInAll - shapes.reduce((sum, one) => sum + one.clients, 0);
        const profiles = profilesOf([...shapes, { clients: rest + 1, pool }].filter((one) => one.clients > 0));
        const shares = allocate(profiles, workers);
        const seen = profiles.map((profile) => new Uint8Array(profile.clients));
        for (const { profile, start, step, count } of shares.flat()) {
          const times = seen[profile] ?? new Uint8Array();
          for (let at = 0; at < count; at += 1) times[start + at * step] = (times[start + at * step] ?? 0) + 1;
        }
        expect(seen.every((clientsOf) => clientsOf.every((times) => times === 1))).toBe(true);
        const sizesOfShares = shares.map((share) => share.reduce((sum, { count }) => sum + count, 0));
        if (pool === undefined) expect(spread(sizesOfShares)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 10 },
    );
  });

  test('without pools, shares differ by at most one client, in each profile and in total', () => {
    fc.assert(
      fc.property(plain, parts, (profiles, count) => {
        const shares = allocate(profiles, count).map(clients);
        expect(spread(shares.map((share) => share.length))).toBeLessThanOrEqual(1);
        for (const number of profiles.keys()) {
          expect(
            spread(shares.map((share) => share.filter((client) => client.startsWith(`${number}:`)).length)),
          ).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('clients that share a session stay together, and sessions are spread evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), parts, (count, size, workers) => {
        const profiles = profilesOf([{ clients: count, pool: size }]);
        const shares = allocate(profiles, workers);
        const sessions = shares.map((share) => new Set(share.flatMap(slotIndexes).map((index) => index % size)));
        expect(spread(sessions.map((set) => set.size))).toBeLessThanOrEqual(1);
        expect(sessions.flatMap((set) => [...set])).toHaveLength(Math.min(size, count));
      }),
    );
  });

  test('a share that is split again over threads loses no client and stays even', () => {
    fc.assert(
      fc.property(plain, parts, parts, (profiles, workers, threads) => {
        for (const share of allocate(profiles, workers)) {
          const split = splitSlots(share, profiles, threads).map(clients);
          expect(split.flat().sort()).toEqual([...clients(share)].sort());
          expect(spread(split.map((part) => part.length))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('the shares of lost workers, split over the other workers, keep shared sessions together', () => {
    fc.assert(
      fc.property(mixed, fc.integer({ min: 2, max: 6 }), (profiles, workers) => {
        const [lost = [], ...rest] = allocate(profiles, workers);
        const moved = splitSlots(lost, profiles, rest.length);
        const now = rest.map((share, worker) => [...share, ...(moved[worker] ?? [])]);
        expect(now.flatMap(clients).sort()).toEqual([...all(profiles)].sort());
        for (const [number, profile] of profiles.entries()) {
          const { session } = profile;
          if (session.mode !== 'pool') continue;
          const sessions = now.flatMap((share) => [
            ...new Set(
              share
                .filter((set) => set.profile === number)
                .flatMap(slotIndexes)
                .map((index) => index % session.size),
            ),
          ]);
          expect(new Set(sessions).size).toBe(sessions.length);
        }
      }),
    );
  });

  test("the key of a client is its slot, or its session's", () => {
    const [reuse, pool] = profilesOf([
      { clients: 5, pool: undefined },
      { clients: 7, pool: 3 },
    ]);
    if (reuse === undefined || pool === undefined) throw new Error('two profiles');
    expect([0, 4].map((index) => allocationKey(reuse, index))).toEqual([0, 4]);
    expect([0, 1, 2, 3, 6].map((index) => allocationKey(pool, index))).toEqual([5, 6, 7, 5, 5]);
  });

  test('a pool larger than its clients has as many sessions as clients', () => {
    expect(slotSets(profilesOf([{ clients: 2, pool: 5 }]))).toEqual([
      { profile: 0, start: 0, step: 5, count: 1 },
      { profile: 0, start: 1, step: 5, count: 1 },
    ]);
  });
});

test('clients that subscribe have workers of their own: two thirds, in turn', () => {
  const [one] = profilesOf([{ clients: 4, pool: undefined }]);
  if (one === undefined) throw new Error('no profile');
  const subscriber = { ...one, clients: 6, firstSlot: 4, stream: { subscriptions: [] } as never };
  const clientsOfShares = (workers: number): readonly (readonly [number, number][])[] =>
    allocateByRole([one, subscriber], workers).map((share) => share.map(({ profile, count }) => [profile, count]));
  expect(clientsOfShares(2)).toEqual([[[0, 4]], [[1, 6]]]);
  expect(clientsOfShares(3)).toEqual([[[0, 4]], [[1, 3]], [[1, 3]]]);
  expect(clientsOfShares(4)).toEqual([[[0, 2]], [[0, 2]], [[1, 3]], [[1, 3]]]);
});
