import { describe, expect, test } from '@jest/globals';
import { type CapacityDocument, conclude, type ProbeRecord } from './document.js';
import { renderCapacity } from './page.js';

function probe(askedPerSecond: number, outcome: ProbeRecord['outcome'], more: Partial<ProbeRecord> = {}): ProbeRecord {
  return {
    runId: `20260101-000000-x-${String(askedPerSecond).padStart(4, 'a')}`,
    purpose: 'step',
    outcome,
    reasons: [],
    askedPerSecond,
    offeredPerSecond: askedPerSecond,
    deliveredPerSecond: askedPerSecond,
    throughputPerSecond: askedPerSecond,
    errorRate: 0,
    p50Ms: 1,
    p99Ms: 1 / (1 - askedPerSecond / 1_000),
    serviceMeanMs: 1 / (1 - askedPerSecond / 1_000),
    ...more,
  };
}

function document(
  probes: readonly ProbeRecord[],
  found: Parameters<typeof conclude>[1],
  scenario = 'x',
): CapacityDocument {
  return {
    schemaVersion: 1,
    id: 'capacity-1',
    scenario,
    version: '0',
    command: 'capacity',
    seed: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:01:00.000Z',
    thresholds: ['latency.p99 < 10ms'],
    precision: 0.05,
    confirmations: 1,
    ...conclude(probes, found, 1),
  };
}

const rates = [100, 200, 400, 600, 700, 800, 900, 950, 990];

describe('the page of a capacity search', () => {
  test('names the interval, the knee and the fit, and shows each run', () => {
    const made = document(
      rates.map((rate) => probe(rate, rate <= 900 ? 'met' : 'unmet')),
      { metPerSecond: 900, unmetPerSecond: 950, end: 'converged' },
    );
    const page = renderCapacity(made);
    expect(page).toContain('Between 900/s (met, confirmed) and 950/s (not met).');
    expect(made.kneePerSecond).toBe(900);
    expect(made.scalability?.rSquared).toBeGreaterThan(0.9);
    expect(page).toContain('Universal Scalability Law');
    expect(page.match(/report\.html"/g)).toHaveLength(rates.length);
    expect(page).not.toMatch(/<script|NaN|undefined|Infinity/);
  });

  test('leaves runs with a generator at its limit out of curve and fit, and says so', () => {
    const made = document(
      [...rates.slice(0, 4).map((rate) => probe(rate, 'met')), probe(800, 'generator', { p99Ms: 9_999 })],
      { metPerSecond: 600, unmetPerSecond: undefined, end: 'generator' },
    );
    expect(made.scalability).toBeNull();
    expect(renderCapacity(made)).toContain('At higher rates the generator, not the target, was at its limit');
    expect(renderCapacity(made)).toContain('there were too few runs');
    // Only the table of runs has the untrusted p99.
    expect(renderCapacity(made).match(/10 s/g)).toHaveLength(1);
  });

  test('renders a search without runs or numbers, and escapes the name of the scenario', () => {
    expect(renderCapacity(document([], 'interrupted', '<b>&"'))).toContain('&lt;b&gt;&amp;&quot;');
    const silent = probe(10, 'unmet', { p50Ms: null, p99Ms: null, serviceMeanMs: null, throughputPerSecond: 0 });
    const page = renderCapacity(
      document([silent], { metPerSecond: undefined, unmetPerSecond: 10, end: 'nothing-met' }),
    );
    expect(page).toContain('Below 10/s: no rate that was tried met the thresholds.');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});
