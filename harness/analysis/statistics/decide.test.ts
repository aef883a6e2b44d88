import { describe, expect, test } from '@jest/globals';
import { cellOf } from '../../../client-sim/protocol/histogram-codec.js';
import { HdrCounts } from '../merge/hdr-counts.js';
import { decide, detectable, largestSpread, powerOf, trialsToSettle, worsening } from './decide.js';
import { mulberry32, normals } from './distributions.js';
import { type Effect, effectsOf } from './effects.js';
import { HistogramFigures } from './figures.js';

const margin = Math.log(1.1);
function effect(estimate: number, low: number, high: number, p = 0.001): Effect {
  return { base: 1, changed: Math.exp(estimate), effect: estimate, low, high, p, spread: 0.05 };
}

describe('the answer to a rule', () => {
  test.each<[string, Effect, number | undefined, string, boolean]>([
    ['worse by more than the rule', effect(0.2, 0.12, 0.28), 0.9, 'regressed', false],
    ['worse by about the rule', effect(0.09, 0.03, 0.15), 0.9, 'regressed', false],
    ['certainly worse, and certainly by less than the rule', effect(0.04, 0.01, 0.07), 0.9, 'equivalent', true],
    ['worse, but nearer to nothing than to the rule', effect(0.045, 0.001, 0.1), 0.5, 'inconclusive', false],
    ['better by more than the rule', effect(-0.2, -0.28, -0.12), 0.9, 'improved', true],
    ['inside the rule', effect(0.01, -0.05, 0.07, 0.6), 0.9, 'equivalent', true],
    ['inside the rule, without the power to know', effect(0.01, -0.05, 0.07, 0.6), 0.5, 'inconclusive', true],
    ['inside the rule, within one run', effect(0.01, -0.05, 0.07, 0.6), undefined, 'inconclusive', true],
    ['anything', effect(0.05, -0.3, 0.4, 0.5), 0.9, 'inconclusive', false],
    ['large, but not more than chance', effect(0.3, -0.1, 0.7, 0.2), 0.9, 'inconclusive', false],
  ])('%s', (_, found, power, answer, regressionExcluded) => {
    expect(decide(found, margin, power)).toEqual({ answer, regressionExcluded });
  });

  test('is the other way round where more is better', () => {
    const faster = worsening(effect(0.2, 0.12, 0.28), 'lower');
    expect([faster.effect, faster.low, faster.high]).toEqual([-0.2, -0.28, -0.12]);
    expect(decide(faster, margin, 0.9).answer).toBe('improved');
  });
});

describe('power', () => {
  test('rises with trials and with the change, and falls with the noise', () => {
    const at = (trials: number, spread: number, change: number): number => powerOf({ spread, trials, margin }, change);
    expect(at(20, 0.07, margin)).toBeGreaterThan(at(6, 0.07, margin) + 0.2);
    expect(at(6, 0.03, margin)).toBeGreaterThan(at(6, 0.07, margin) + 0.2);
    expect(at(6, 0.07, 2 * margin)).toBeGreaterThan(at(6, 0.07, margin) + 0.2);
    // A rule of 10 % with a noise of 7 % in six trials: about six times in ten.
    expect(at(6, 0.07, margin)).toBeGreaterThan(0.5);
    expect(at(6, 0.07, margin)).toBeLessThan(0.65);
    expect(powerOf({ spread: 0, trials: 6, margin }, margin)).toBe(1);
    expect(powerOf({ spread: 0.1, trials: 1, margin }, margin)).toBe(0);
  });

  test('says how many trials settle it, and what they find', () => {
    const trials = trialsToSettle({ spread: 0.07, margin }, 0) ?? 0;
    expect(trials).toBeGreaterThan(8);
    expect(trials).toBeLessThan(15);
    expect(powerOf({ spread: 0.07, trials, margin }, margin)).toBeGreaterThanOrEqual(0.8);
    expect(trialsToSettle({ spread: 2, margin }, 0)).toBeUndefined();
    const found = detectable({ spread: 0.07, trials: 6, margin });
    expect(powerOf({ spread: 0.07, trials: 6, margin }, found)).toBeCloseTo(0.8, 1);
  });

  test('is judged by the largest spread that few trials allow', () => {
    expect(largestSpread(0.05, 6)).toBeGreaterThan(0.07);
    expect(largestSpread(0.05, 100)).toBeLessThan(0.06);
  });
});

/**
 * Trials of a server with a fast and a slow path, each trial as a whole a little faster or slower than the others, as
 * runs of one server are: p95 lies in the slow path.
 */
function simulatedSides(trials: number, spread: number, change: number, normal: () => number) {
  const trial = (shift: number): HdrCounts => {
    const found = new HdrCounts();
    const factor = Math.exp(shift + spread * normal());
    for (let at = 0; at < 30; at += 1) {
      const us = (at < 24 ? 2000 + 40 * at : 6000 + 500 * at) * factor;
      found.addCells([cellOf(Math.round(us)), 80]);
    }
    return found;
  };
  const side = (shift: number) =>
    new HistogramFigures(
      Array.from({ length: trials }, () => trial(shift)),
      [0.95],
    );
  return [side(0), side(change)] as const;
}

describe('200 simulated comparisons', () => {
  const rounds = 200;
  const answersOf = (trials: number, change: number, seed: number) => {
    const normal = normals(mulberry32(seed));
    const spread = 0.07;
    const answers = { regressed: 0, improved: 0, equivalent: 0, inconclusive: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const [base, changed] = simulatedSides(trials, spread, change, normal);
      const [found] = effectsOf(base, changed, ['ratio'], { kind: 'unpaired' }, round);
      if (found === undefined) throw new Error('no effect');
      const largest = largestSpread(found.spread, trials);
      answers[decide(found, margin, powerOf({ spread: largest, trials, margin }, margin)).answer] += 1;
    }
    return { answers, power: powerOf({ spread, trials, margin }, margin) };
  };

  test('of equal systems: at most 5 % regressed, and none equivalent when the power is lacking', () => {
    const { answers, power } = answersOf(6, 0, 1);
    expect(power).toBeLessThan(0.8);
    expect(answers.regressed).toBeLessThanOrEqual(0.05 * rounds);
    expect(answers.improved).toBeLessThanOrEqual(0.05 * rounds);
    expect(answers.equivalent).toBeLessThanOrEqual(0.01 * rounds);
  });

  test('of equal systems with enough trials: mostly equivalent', () => {
    const { answers } = answersOf(20, 0, 2);
    expect(answers.regressed).toBeLessThanOrEqual(0.05 * rounds);
    expect(answers.equivalent).toBeGreaterThan(0.6 * rounds);
  });

  test.each([6, 12])('of systems 10 %% apart, %d trials: found with the power that is stated', (trials) => {
    const { answers, power } = answersOf(trials, Math.log(1.1), trials);
    expect(Math.abs(answers.regressed / rounds - power)).toBeLessThan(0.1);
    expect(answers.improved).toBe(0);
  });
});
