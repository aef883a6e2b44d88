import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { slotSets, splitSlots } from '../../scenarios/schema/allocate.js';
import { testPlan, testProfile } from '../../tests/support/client-sim/plans.js';
import { countClients, divideClients, limitShare } from './divide-clients.js';

const profiles = fc
  .array(
    fc.record({
      clients: fc.integer({ min: 1, max: 20 }),
      session: fc.constantFrom({ mode: 'reuse' as const }, { mode: 'pool' as const, size: 3 }),
      arrivals: fc.constantFrom(
        { model: 'open' as const, ratePerSecond: 10, spacing: 'uniform' as const },
        { model: 'closed' as const, thinkTime: { kind: 'none' as const } },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((overrides) => overrides.map((override, index) => testProfile({ ...override, name: `profile-${index}` })));

test('every client and every pooled session is on exactly one thread, and the shares of the limits add up', () => {
  fc.assert(
    fc.property(profiles, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (plans, workers, threads) => {
      const plan = testPlan({
        profiles: plans,
        limits: { clients: 1_000, ratePerSecond: 5_000, durationMs: 1e9, bytes: 1e9, answerBytes: 16_777_216 },
      });
      const seen = new Map<string, number>();
      const sessions = new Map<string, Set<string>>();
      const shares = { ratePerSecond: 0, bytes: 0, clients: 0 };
      splitSlots(slotSets(plans), plans, workers).forEach((slots, worker) => {
        shares.clients += countClients(slots);
        divideClients(plans, slots, threads).forEach((clients, thread) => {
          const share = limitShare(plan, clients);
          shares.ratePerSecond += share.ratePerSecond;
          shares.bytes += share.bytes;
          for (const { profile, index } of clients) {
            seen.set(`${profile} ${index}`, (seen.get(`${profile} ${index}`) ?? 0) + 1);
            const session = plans[profile]?.session;
            if (session?.mode !== 'pool') continue;
            const key = `${profile} ${index % session.size}`;
            sessions.set(key, (sessions.get(key) ?? new Set()).add(`${worker} ${thread}`));
          }
        });
      });
      const all = plans.reduce((sum, profile) => sum + profile.clients, 0);
      expect([...seen.values()].every((times) => times === 1)).toBe(true);
      expect(seen.size).toBe(all);
      expect(shares.clients).toBe(all);
      expect([...sessions.values()].every((threadsOfSession) => threadsOfSession.size === 1)).toBe(true);
      expect(shares.ratePerSecond).toBeCloseTo(5_000, 3);
      expect(shares.bytes).toBeCloseTo(1e9, 0);
    }),
  );
});
