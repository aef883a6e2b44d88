import { describe, expect, test } from '@jest/globals';
import type { OwnTimeReport } from '../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { foldRun } from '../../../tests/support/analysis/fold-run.js';
import { check, samplePlan, sampleProfile, threshold } from '../../../tests/support/analysis/sample-plan.js';
import {
  encode,
  type SampleOptions,
  sampleEvents,
  sampleTelemetry,
} from '../../../tests/support/analysis/sample-run.js';
import { isWide } from '../statistics/interval.js';
import { ownShareNotes } from './own-share.js';
import { judgeThresholds } from './thresholds.js';

/** 4 clients at 250/s: 1,000 operations a second in the 4 measured ones. */
const busy = sampleProfile({
  arrivals: { model: 'open', ratePerSecond: 250, spacing: 'uniform' },
  pacing: 'metronome',
});

function judged(options: SampleOptions, changes: Partial<Plan> = {}) {
  const plan = samplePlan({ profiles: [busy], ...changes });
  const { verdict, aggregate, facts } = foldRun(
    sampleEvents(plan, [], options.workers ?? 1),
    sampleTelemetry(plan, { workers: 1, own: () => ({}), ...options }),
  );
  return {
    verdict,
    notes: ownShareNotes(plan, aggregate, facts),
    thresholds: judgeThresholds(plan, aggregate),
  };
}

function p95(comparison: '<' | '>', limit: number): Plan['thresholds'] {
  return [threshold(check('latency.p95', comparison, limit))];
}

function times(measuredMs: number, floorMs: number): Pick<SampleOptions, 'latencyUs' | 'floorUs'> {
  return { latencyUs: () => measuredMs * 1000, floorUs: () => floorMs * 1000 };
}

describe('a latency threshold', () => {
  test.each([
    ['holds where it holds as measured', times(40, 5), p95('<', 50), 'passed', false],
    ['fails where it fails without our own share, too', times(80, 60), p95('<', 50), 'failed', false],
    ['is not decided where only our own share breaks it', times(80, 70), p95('<', 75), 'invalid', true],
    ['is not decided where only our own share makes it hold', times(80, 70), p95('>', 75), 'invalid', true],
    [
      'is judged as measured where our own share is not known',
      { latencyUs: () => 80_000 },
      p95('<', 75),
      'failed',
      false,
    ],
  ] as const)('%s', (_name, options, thresholds, kind, undecided) => {
    const found = judged(options, { thresholds });
    expect(found.verdict.kind).toBe(kind);
    expect(found.thresholds[0]).toMatchObject({ undecided, passed: kind === 'passed' });
    if (undecided)
      expect(found.verdict.reasons.join()).toMatch(
        /the generator decides whether latency\.p95 [<>] 75 holds: it was 80\.\d ms, and 70 ms without/,
      );
  });
});

test('a run of which more than half is our own is invalid, whatever its thresholds are', () => {
  const { verdict } = judged(times(80, 10));
  expect(verdict.kind).toBe('invalid');
  expect(verdict.reasons.join()).toMatch(
    /more than half of the latency is the generator's own: p50 80\.\d ms, 10 ms without/,
  );
  // Below a few milliseconds every generator is more than half of an instant server's latency.
  expect(judged(times(2, 0.1)).verdict.kind).toBe('passed');
});

test('one freeze that a median does not see is judged by the quantiles that do', () => {
  const frozen = (second: number, i: number): boolean => second === 3 && i < 300;
  const { verdict } = judged({
    latencyUs: (second, i) => (frozen(second, i) ? 1_500_000 : 8_000),
    floorUs: () => 7_500,
    own: (second) => (second === 3 ? { outMaxMs: 1500, stoppedMs: 950, onProcessorMs: 20 } : {}),
  });
  expect(verdict.kind).toBe('invalid');
  expect(verdict.reasons.join()).toMatch(
    /p95 .* and p99 .*\(at most 1\.5 s, in the second before 4 s\)\. Worker w1 was stopped for 950 ms in all/,
  );
});

test('a worker that spoils its own operations is found among others', () => {
  const { verdict } = judged({
    workers: 4,
    latencyUs: (_second, i, worker) => (worker === 2 && i < 2 ? 3_000_000 : 8_000),
    floorUs: () => 7_500,
    own: (_second, worker) => (worker === 2 ? { inMaxMs: 890, waitedMs: 700 } : {}),
  });
  expect(verdict.reasons.join()).toMatch(/more than half of what worker w3 measured is its own/);
});

test('seconds that a worker spoils are counted, even where no quantile shows them', () => {
  const { verdict } = judged({
    latencyUs: (second, i) => (second > 2 && i < 1 ? 30_000_000 : 8_000),
    floorUs: () => 7_500,
    own: () => ({ inMaxMs: 29_000 }),
  });
  expect(verdict.reasons.join()).toMatch(
    /more than half of what worker w1 measured is its own, in 3 of 4 measured seconds/,
  );
});

test('arrivals that left at other times than planned make a run invalid, unless within a tenth of a second', () => {
  const gaps = { planned: encode([1_000, 1_000]), sent: encode([0, 80_000]) };
  const moving = (moved: number) => judged({ ...times(8, 7.9), own: () => ({ sent: 1_000, moved, gaps }) }).verdict;
  expect(moving(20).kind).toBe('passed');
  expect(moving(300)).toMatchObject({ kind: 'invalid' });
  expect(moving(300).reasons.join()).toMatch(
    /30 % of its operations left in another tenth of a second, .* 80 ms where the plan has 1 ms/,
  );
});

describe('the note beside wide numbers', () => {
  const wide = times(20, 14);
  test.each<readonly [string, Partial<OwnTimeReport>, SampleOptions['health'], RegExp]>([
    ['a frozen process', { outMaxMs: 200, stoppedMs: 300 }, {}, /was stopped for .* froze the process/],
    ['a quota', { outMaxMs: 200, stoppedMs: 300 }, { throttledRatio: 0.03 }, /The CPU quota of worker w1 stopped it/],
    [
      'another program',
      { outMaxMs: 60, waitedMs: 400 },
      { cores: 2, cpu: 0.4 },
      /no processor for 40 % .* another program/,
    ],
    ['too few cores', { outMaxMs: 60, waitedMs: 400 }, { cores: 1, cpu: 0.85 }, /too few processors \(1\)/],
    ['its own loop', { outMaxMs: 60, onProcessorMs: 900 }, {}, /event loop of worker w1 was busy with its own work/],
  ])('names %s, and what to do', (_name, own, health, text) => {
    const { verdict, notes } = judged({ ...wide, own: () => own, health: health ?? {} });
    expect(verdict.kind).toBe('passed');
    expect(notes.join()).toMatch(/p50 lies between 14 ms \(without it\) and 20 ms \(as measured\)/);
    expect(notes.join()).toMatch(text);
  });

  test('names pacing in batches where that is all', () => {
    const plan = { profiles: [{ ...busy, pacing: 'batch' as const }] };
    expect(judged({ ...times(2, 0.4), own: () => ({ outMaxMs: 1.8 }) }, plan).notes.join()).toMatch(
      /pacing: metronome/,
    );
  });

  test('is absent where the interval is narrow, and for logs that do not know', () => {
    expect(judged(times(20, 19)).notes).toEqual([]);
    expect(judged({}).notes).toEqual([]);
    const sdk = { profiles: [{ ...busy, transport: 'sdk' as const }] };
    expect(judged({}, sdk).notes.join()).toMatch(
      /profile normal is the generator's own is not known: the work of an SDK/,
    );
  });
});

test('an interval is wide by more than a tenth and more than 1 ms', () => {
  expect(isWide({ low: 5, high: 5.9 })).toBe(false);
  expect(isWide({ low: 4.9, high: 6 })).toBe(true);
  expect(isWide({ low: 91, high: 100 })).toBe(false);
  expect(isWide({ low: 89, high: 100 })).toBe(true);
});
