import { describe, expect, test } from '@jest/globals';
import type { Stickiness } from '../../../scenarios/schema/plan.js';
import { samplePlan, sampleProfile } from '../../../tests/support/analysis/sample-plan.js';
import { plannedRoutes, settledRoutes } from './routes.js';

const LEGACY = { era: 'legacy', version: '2025-11-25', sessions: true } as const;
const MODERN = { era: 'modern', version: '2026-07-28', sessions: false } as const;
function at(name: string) {
  return [{ url: `http://${name}/mcp`, headers: {} }];
}
const gateway = {
  endpoints: at('session'),
  reach: (sticky: Stickiness) =>
    sticky === 'none' ? { endpoints: at('none'), preflightEndpoints: at('replica') } : { endpoints: at(sticky) },
};
function profile(name: string, more: Parameters<typeof sampleProfile>[0] = {}) {
  return sampleProfile({ name, ...more });
}

describe('the routes of a run to its target', () => {
  test('are a single one when all profiles use the stickiness and era of the target', () => {
    const plan = samplePlan({ profiles: [profile('a'), profile('b', { sticky: 'session', era: 'auto' })] });
    expect(plannedRoutes(plan, gateway)).toEqual([
      { profiles: [0, 1], endpoints: at('session'), preflightEndpoints: at('session'), era: 'auto' },
    ]);
    expect(settledRoutes(at('session'), plannedRoutes(plan, gateway), [LEGACY])).toEqual({
      endpoints: at('session'),
      pinned: LEGACY,
    });
  });

  test('are one for each stickiness and era, each with its own protocol', () => {
    const plan = samplePlan({
      profiles: [
        profile('a'),
        profile('b', { sticky: 'none' }),
        profile('c', { sticky: 'none', era: 'modern' }),
        profile('d', { sticky: 'none' }),
      ],
    });
    const routes = plannedRoutes(plan, gateway);
    expect(routes.map(({ profiles, era, preflightEndpoints }) => [profiles, era, preflightEndpoints])).toEqual([
      [[0], 'auto', at('session')],
      [[1, 3], 'auto', at('replica')],
      [[2], 'modern', at('replica')],
    ]);
    expect(settledRoutes(at('session'), routes, [LEGACY, LEGACY, MODERN])).toEqual({
      endpoints: at('session'),
      pinned: LEGACY,
      routes: [
        { profiles: [0], endpoints: at('session'), pinned: LEGACY },
        { profiles: [1, 3], endpoints: at('none'), pinned: LEGACY },
        { profiles: [2], endpoints: at('none'), pinned: MODERN },
      ],
    });
  });

  test('differ only by era for a URL, and without a gateway', () => {
    const profiles = [profile('a', { era: 'legacy' }), profile('b', { era: 'modern' })];
    const url = samplePlan({
      profiles,
      target: { kind: 'url', urls: ['http://session/mcp'], headers: {}, era: 'auto' },
    });
    for (const plan of [url, samplePlan({ profiles })]) {
      expect(
        plannedRoutes(plan, { endpoints: at('session') }).map(({ profiles: of, era, endpoints }) => [
          of,
          era,
          endpoints,
        ]),
      ).toEqual([
        [[0], 'legacy', at('session')],
        [[1], 'modern', at('session')],
      ]);
    }
  });

  test('are the endpoints of the target when an adopted run has none in its log', () => {
    expect(settledRoutes(at('session'), [], [MODERN])).toEqual({ endpoints: at('session'), pinned: MODERN });
  });
});
