import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mulberry32, normals } from '../statistics/distributions.js';
import { kneeOf } from './knee.js';
import { type Found, nextStep, type Probe, type ProbeOutcome, type SearchLimits } from './search.js';
import { fitUsl, peakInterval, predict } from './usl.js';

const limits: SearchLimits = {
  fromPerSecond: 100,
  mostPerSecond: 1_000_000,
  precision: 0.05,
  confirmations: 2,
  mostProbes: 60,
};

function search(
  target: (rate: number) => ProbeOutcome,
  more: Partial<SearchLimits> = {},
): { readonly found: Found; readonly probes: readonly Probe[] } {
  const probes: Probe[] = [];
  for (;;) {
    const step = nextStep(probes, { ...limits, ...more });
    if (step.kind === 'done') return { found: step.found, probes };
    probes.push({ ratePerSecond: step.ratePerSecond, outcome: target(step.ratePerSecond) });
  }
}

describe('the search for capacity', () => {
  test('encloses any capacity within the precision, from above and from below', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 5, max: 900_000, noNaN: true }),
        fc.constantFrom(0.02, 0.05, 0.2),
        (capacity, precision) => {
          const { found, probes } = search((rate) => (rate <= capacity ? 'met' : 'unmet'), { precision });
          expect(found.end).toBe('converged');
          const { metPerSecond = NaN, unmetPerSecond = NaN } = found;
          expect(metPerSecond).toBeLessThanOrEqual(capacity);
          expect(unmetPerSecond).toBeGreaterThan(capacity);
          // Rates have three digits, which bounds how fine it can get.
          expect((unmetPerSecond - metPerSecond) / metPerSecond).toBeLessThanOrEqual(precision + 0.011);
          expect(probes.filter(({ ratePerSecond }) => ratePerSecond === metPerSecond)).toHaveLength(3);
        },
      ),
    );
  });

  test('does not trust a rate that was met once and then not', () => {
    let lucky = true;
    const { found } = search((rate) => {
      if (rate <= 1_000) return 'met';
      if (rate > 1_600 || !lucky) return 'unmet';
      lucky = false;
      return 'met';
    });
    expect(found.end).toBe('converged');
    expect(found.metPerSecond).toBeLessThanOrEqual(1_000);
    expect(found.unmetPerSecond).toBeLessThan(1_100);
  });

  test('ends for any target, in order and within its probes', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom<ProbeOutcome>('met', 'unmet', 'generator')), (outcomes) => {
        const { found, probes } = search(() => outcomes.next().value as ProbeOutcome);
        expect(probes.length).toBeLessThanOrEqual(limits.mostProbes);
        if (found.metPerSecond !== undefined && found.unmetPerSecond !== undefined)
          expect(found.metPerSecond).toBeLessThan(found.unmetPerSecond);
      }),
    );
  });

  test('says what ended it: the generator, the highest rate or the number of probes; and when no rate was met', () => {
    expect(search((rate) => (rate <= 3_000 ? 'met' : 'generator')).found).toMatchObject({
      end: 'generator',
      unmetPerSecond: undefined,
    });
    expect(search(() => 'met', { mostPerSecond: 750 }).found).toEqual({
      end: 'most',
      metPerSecond: 750,
      unmetPerSecond: undefined,
    });
    expect(search((rate) => (rate <= 3_000 ? 'met' : 'unmet'), { mostProbes: 7 }).found.end).toBe('probes');
    expect(search(() => 'unmet').found).toMatchObject({ end: 'nothing-met', metPerSecond: undefined });
  });
});

describe('the law of scalability', () => {
  const points = (lambda: number, sigma: number, kappa: number) =>
    [1, 2, 4, 8, 16, 32, 64].map((concurrency) => ({
      concurrency,
      throughputPerSecond: predict({ lambda, sigma, kappa }, concurrency),
    }));

  test('is found from points that lie on it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 10_000, noNaN: true }),
        fc.double({ min: 0.001, max: 0.5, noNaN: true }),
        fc.double({ min: 0.0001, max: 0.01, noNaN: true }),
        (lambda, sigma, kappa) => {
          const fit = fitUsl(points(lambda, sigma, kappa));
          expect(fit?.lambda).toBeCloseTo(lambda, 2);
          expect(fit?.sigma).toBeCloseTo(sigma, 4);
          expect(fit?.kappa).toBeCloseTo(kappa, 5);
          expect(fit?.rSquared).toBeCloseTo(1, 6);
        },
      ),
    );
  });

  test('has its peak where the curve is highest', () => {
    const { peak } = fitUsl(points(100, 0.05, 0.001)) ?? {};
    expect(peak?.concurrency).toBeCloseTo(Math.sqrt(0.95 / 0.001), 3);
    for (const n of [10, 20, 40, 80])
      expect(predict({ lambda: 100, sigma: 0.05, kappa: 0.001 }, n)).toBeLessThanOrEqual(
        peak?.throughputPerSecond ?? 0,
      );
    const many = [...points(100, 0.05, 0.001), ...points(100, 0.05, 0.001)];
    expect(peakInterval(many, 1)?.low).toBeCloseTo(peak?.throughputPerSecond ?? 0, 3);
  });

  test('has no interval of its peak for fewer than eight points, and one that covers the truth for more', () => {
    expect(peakInterval(points(100, 0.05, 0.001), 1)).toBeUndefined();
    const truth = fitUsl(points(100, 0.05, 0.001))?.peak?.throughputPerSecond ?? 0;
    const normal = normals(mulberry32(2));
    for (const repeats of [2]) {
      let [held, found] = [0, 0];
      for (let round = 0; round < 20; round += 1) {
        const noisy = Array.from({ length: repeats }, () => points(100, 0.05, 0.001))
          .flat()
          .map((point) => ({ ...point, throughputPerSecond: point.throughputPerSecond * (1 + 0.02 * normal()) }));
        const interval = peakInterval(noisy, round);
        if (interval === undefined) continue;
        found += 1;
        if (interval.low <= truth && interval.high >= truth) held += 1;
      }
      expect(found).toBeGreaterThan(12);
      expect([repeats, held / found > 0.8]).toEqual([repeats, true]);
    }
  });

  test('has no negative parameter, and no fit for few points', () => {
    const linear = [1, 2, 3, 4, 5, 6].map((concurrency) => ({
      concurrency,
      throughputPerSecond: 100 * concurrency * 1.01 ** concurrency,
    }));
    const fit = fitUsl(linear);
    expect([fit?.sigma, fit?.kappa]).toEqual([0, 0]);
    expect(fit?.peak).toBeUndefined();
    expect(fitUsl(points(100, 0.1, 0.001).slice(0, 4))).toBeUndefined();
  });
});

describe('the knee', () => {
  test('is where the latency of a queue rises steeply', () => {
    const queue = [100, 200, 400, 600, 700, 800, 900, 950, 990].map((x) => ({ x, y: 1 / (1 - x / 1_000) }));
    expect(kneeOf(queue)).toBe(900);
    expect(kneeOf(queue.slice(0, 3))).toBeUndefined();
    expect(kneeOf([1, 2, 3, 4, 5].map((x) => ({ x, y: x })))).toBeUndefined();
    expect(kneeOf([1, 2, 3, 4, 5].map((x) => ({ x, y: 7 })))).toBeUndefined();
  });
});
