import { describe, expect, test } from '@jest/globals';
import { check, samplePlan, sampleStage } from '../../../tests/support/analysis/sample-plan.js';
import { sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import type { FaultEvent } from '../facts/fault-records.js';
import { measure } from '../judge/measure.js';
import { RunAggregate } from '../merge/aggregate.js';
import type { Second } from '../merge/timeline.js';
import { recoveryOf } from './fault-recovery.js';

const steady = samplePlan({ stages: [sampleStage({ index: 0, name: 'steady', startMs: 0, durationMs: 60_000 })] });
function seconds(succeeded: readonly number[]): readonly Second[] {
  return succeeded.map((count, t) => ({ t, seconds: 1, succeeded: count })) as unknown as readonly Second[];
}
function flat(length: number, count = 100): number[] {
  return Array.from({ length }, () => count);
}

describe('recovery', () => {
  test.each<[string, readonly number[], number, number, object]>([
    ['nothing happened', flat(30), 10_000, 30_000, { kind: 'recovered', seconds: 0 }],
    // Seconds 12 to 14 are low: the mean from second 14 on is (60 + 100 + 100) / 3, from 15 on it is 100.
    ['a dip', [...flat(12), 60, 60, 60, ...flat(15)], 10_500, 30_000, { kind: 'recovered', seconds: 4.5 }],
    [
      'a dip within 5 % is none',
      [...flat(12), 96, 95, 97, ...flat(15)],
      10_000,
      30_000,
      { kind: 'recovered', seconds: 0 },
    ],
    [
      'two dips: the last one counts',
      [...flat(12), 0, ...flat(5), 0, ...flat(11)],
      10_000,
      30_000,
      { kind: 'recovered', seconds: 9 },
    ],
    [
      'it never comes back',
      [...flat(12), ...flat(18, 50)],
      10_000,
      30_000,
      { kind: 'unknown', why: expect.stringContaining('had not come back') },
    ],
    [
      'what comes after the next change does not count',
      [...flat(20), ...flat(10, 0)],
      10_000,
      20_000,
      { kind: 'recovered', seconds: 0 },
    ],
    ['too early', flat(30), 2_000, 30_000, { kind: 'unknown', why: expect.stringContaining('before it') }],
    ['too late', flat(30), 28_000, 30_000, { kind: 'unknown', why: expect.stringContaining('after it') }],
    [
      'nothing worked before',
      [...flat(10, 0), ...flat(20)],
      10_000,
      30_000,
      { kind: 'unknown', why: expect.stringContaining('nothing succeeded') },
    ],
  ])('%s', (_, succeeded, fromMs, toMs, expected) => {
    expect(recoveryOf(steady, seconds(succeeded), fromMs, toMs)).toMatchObject(expected);
  });

  test('is not known where the load itself changed', () => {
    const ramp = sampleStage({
      index: 0,
      name: 'ramp',
      startMs: 0,
      durationMs: 60_000,
      segments: [{ startMs: 0, endMs: 60_000, from: 0, to: 1 }],
    });
    expect(recoveryOf(samplePlan({ stages: [ramp] }), seconds(flat(30)), 10_000, 30_000)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('load was not the same'),
    });
  });
});

describe('the threshold fault.recovery', () => {
  const plan = samplePlan({ stages: [sampleStage({ index: 0, name: 'steady', startMs: 0, durationMs: 40_000 })] });
  /** Throughput is gone for the first 4 s after second 12. */
  const measured = (events: readonly FaultEvent[]) => {
    const aggregate = new RunAggregate(plan);
    const lines = sampleTelemetry(plan, {
      change: (series, second) =>
        second >= 12 && second < 16
          ? { ...series, succeeded: 0, failed: series.succeeded, errors: { timeout: series.succeeded } }
          : series,
    });
    for (const { workerId, batch } of lines) aggregate.add(workerId, batch);
    for (const event of events) aggregate.addFault(event, Date.parse(event.at));
    return measure(check('fault.recovery', '<', 5000), plan, aggregate);
  };
  const event = (atMs: number, body: object): FaultEvent =>
    ({ seq: 1, at: new Date(atMs).toISOString(), faultId: 'f1', ...body }) as FaultEvent;
  const started = event(12_000, { type: 'fault.started', kind: 'scale', target: 'x', before: {} });
  const ended = event(25_000, { type: 'fault.ended', reason: 'time' });

  test('is the slowest of faults and undos', () => {
    expect(measured([started, ended])).toMatchObject({ kind: 'value', value: 4000 });
  });

  test('has no data without a fault, and none when one never recovered', () => {
    expect(measured([])).toMatchObject({ kind: 'no-data', why: 'no fault was injected' });
    expect(measured([started, event(15_500, { type: 'fault.ended', reason: 'time' })])).toMatchObject({
      kind: 'no-data',
      why: expect.stringContaining('had not come back'),
    });
  });
});
