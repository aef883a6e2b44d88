import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import { testOperation, testPlan, testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { expectBalance, runSimulation } from '../../tests/support/engine/run-simulation.js';
import type { Behaviour } from '../../tests/support/engine/simulated-world.js';

const refused: Behaviour = { kind: 'answer', afterMs: 1, failure: { category: 'connect', detail: 'refused' } };

describe('every operation and every session has exactly one outcome', () => {
  // Every answer takes some time: else a closed loop without think time would never let virtual time pass.
  const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({ kind: fc.constant('answer' as const), afterMs: fc.integer({ min: 1, max: 60 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        afterMs: fc.integer({ min: 1, max: 20 }),
        failure: fc.constantFrom(
          { category: 'http_500' as const, detail: 'broken' },
          { category: 'http_429' as const, detail: 'slow down', retryAfterMs: 40 },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'silence' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('lose' as const), afterMs: fc.integer({ min: 1, max: 20 }) }),
    },
  );
  const opening: fc.Arbitrary<Behaviour> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('answer' as const), afterMs: fc.integer({ min: 0, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.constant(refused) },
    { weight: 1, arbitrary: fc.constant({ kind: 'silence' as const }) },
  );
  const profile = fc.record({
    clients: fc.integer({ min: 1, max: 5 }),
    session: fc.constantFrom<ProfilePlan['session']>(
      { mode: 'reuse' },
      { mode: 'pool', size: 2 },
      { mode: 'per-request' },
      { mode: 'churn', every: { operations: 3 } },
      { mode: 'churn', every: { ms: 40 } },
    ),
    arrivals: fc.constantFrom<ProfilePlan['arrivals']>(
      { model: 'open', ratePerSecond: 300, spacing: 'uniform' },
      { model: 'open', ratePerSecond: 80, spacing: 'poisson' },
      { model: 'closed', thinkTime: { kind: 'none' } },
      { model: 'closed', thinkTime: { kind: 'uniform', minMs: 1, maxMs: 20 } },
    ),
    maxInFlight: fc.integer({ min: 1, max: 6 }),
    connections: fc.integer({ min: 1, max: 3 }),
    pipeline: fc.integer({ min: 1, max: 2 }),
    timeoutMs: fc.integer({ min: 30, max: 200 }),
    operations: fc.constantFrom([testOperation('a')], [testOperation('a', 3), testOperation('b', 1)]),
  });
  const stage = fc.record({
    ms: fc.integer({ min: 1, max: 400 }),
    from: fc.constantFrom(0, 0.3, 1),
    to: fc.constantFrom(0, 0.5, 1),
    scale: fc.constantFrom('clients' as const, 'rate' as const),
  });
  const action = fc.record({
    atMs: fc.integer({ min: -1, max: 600 }),
    kind: fc.constantFrom('adjust' as const, 'drain' as const, 'now' as const, 'none' as const, 'none' as const),
  });

  test('whatever the server does, in every session mode, with adjustments and stops', () => {
    fc.assert(
      fc.property(
        fc.array(profile, { minLength: 1, maxLength: 2 }),
        fc.array(stage, { minLength: 1, maxLength: 3 }),
        fc.array(behaviour, { minLength: 1, maxLength: 12 }),
        fc.array(opening, { minLength: 1, maxLength: 5 }),
        action,
        fc.constantFrom(1, 1, 7, 90),
        fc.constantFrom(Infinity, Infinity, 200),
        fc.constantFrom(0, 0, 130),
        (profiles, stages, requests, opens, { atMs, kind }, stepMs, ratePerSecond, joinMs) => {
          let firstSlot = 0;
          const plan = testPlan({
            drainMs: 100,
            stages: testStages(...stages),
            profiles: profiles.map((overrides, index) => {
              const made = testProfile({ ...overrides, name: `profile-${index}`, firstSlot });
              firstSlot += overrides.clients;
              return made;
            }),
          });
          const result = runSimulation(plan, {
            script: {
              request: (number) => requests[number % requests.length] ?? refused,
              open: (number) => opens[number % opens.length] ?? refused,
              closes: (number) => number % 3 !== 0,
            },
            step: () => stepMs,
            ratePerSecond,
            joinMs,
            at:
              kind === 'none'
                ? []
                : [
                    {
                      atMs,
                      act: (engine) =>
                        kind === 'adjust' ? engine.adjust({ stage: 0, atMs, load: 0.4 }) : engine.stop(kind),
                    },
                  ],
          });
          expectBalance(result);
        },
      ),
      { numRuns: 300 },
    );
  });
});
