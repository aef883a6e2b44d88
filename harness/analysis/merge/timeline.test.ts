import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { samplePlan } from '../../../tests/support/analysis/sample-plan.js';
import { encode, sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { decodeBatch } from './decoded-batch.js';
import { HdrCounts, toHistogram, valuesAt } from './hdr-counts.js';
import { type Second, Timeline } from './timeline.js';

const [line] = sampleTelemetry(samplePlan());
if (line === undefined) throw new Error('no line');
const template = line.batch;

/** One worker's batch of second `t`, in which the only operations took so many microseconds. */
function batchOf(t: number, latenciesUs: readonly number[], sessions = 1): Telemetry {
  const [series] = template.series;
  if (series === undefined) throw new Error('no series');
  const count = latenciesUs.length;
  return {
    ...template,
    sequence: t + 1,
    fromMs: t * 1000,
    toMs: (t + 1) * 1000,
    series: [
      {
        ...series,
        offered: count,
        sent: count,
        succeeded: count,
        errors: { timeout: 1 },
        histograms: { latency: encode(latenciesUs) },
      },
    ],
    gauges: { ...template.gauges, sessions },
  };
}

function add(timeline: Timeline, t: number, latenciesUs: readonly number[], sessions = 1): void {
  timeline.add('w1', decodeBatch(batchOf(t, latenciesUs, sessions)));
}

function covers(entries: readonly Second[], end: number): boolean {
  return entries.every(({ t, seconds }, at) => t + seconds === (entries[at + 1]?.t ?? end));
}

describe('a long run', () => {
  const length = 30_000;
  const boundaries = [0, 7, 12_345, 20_001];
  const timeline = new Timeline(boundaries);
  timeline.keepAround(9_000_000);
  for (let t = 0; t < length; t += 1) add(timeline, t, [1000 + (t % 50) * 100, 90_000], t % 1000);
  const entries = timeline.view(0);

  test('takes a bounded number of entries, which cover all of it without gaps', () => {
    expect(entries.length).toBeLessThanOrEqual(3600);
    expect(covers(entries, length)).toBe(true);
  });

  test('keeps the newest seconds and those around a fault', () => {
    expect(entries.filter(({ t }) => t >= length - 900).every(({ seconds }) => seconds === 1)).toBe(true);
    expect(entries.filter(({ t }) => t >= 8990 && t < 9100).every(({ seconds }) => seconds === 1)).toBe(true);
  });

  test('loses no count, and merges no two stages', () => {
    expect(entries.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(2 * length);
    expect(entries.reduce((sum, { errors }) => sum + (errors.timeout ?? 0), 0)).toBe(length);
    for (const boundary of boundaries)
      expect(entries.some(({ t, seconds }) => t < boundary && boundary < t + seconds)).toBe(false);
  });

  test('gives a step the percentiles of all its operations, and its highest gauges', () => {
    const step = entries.find(({ seconds }) => seconds >= 10);
    if (step === undefined) throw new Error('nothing was merged');
    const merged = new HdrCounts();
    let most = 0;
    for (let t = step.t; t < step.t + step.seconds; t += 1) {
      for (const cells of decodeBatch(batchOf(t, [1000 + (t % 50) * 100, 90_000])).series)
        merged.addCells(cells.cells.latency ?? []);
      most = Math.max(most, t % 1000);
    }
    const [p50, p99] = valuesAt(merged, [50, 99]);
    expect(step).toMatchObject({
      p50Ms: (p50 ?? 0) / 1000,
      p99Ms: (p99 ?? 0) / 1000,
      sessions: most,
      workers: 1,
    });
  });

  test('takes what comes late, too', () => {
    const before = entries[3]?.succeeded ?? 0;
    add(timeline, entries[3]?.t ?? 0, [5000, 6000, 7000]);
    expect(timeline.view(0)[3]?.succeeded).toBe(before + 3);
    expect(timeline.view(length - 2).map(({ t }) => t)).toEqual([length - 2, length - 1]);
  });
});

test('the last gauges of a worker in a second count, and those of all workers are added up', () => {
  const timeline = new Timeline();
  const half = { ...batchOf(0, [], 5), toMs: 500 };
  timeline.add('w1', decodeBatch(half));
  timeline.add('w2', decodeBatch(batchOf(0, [], 10)));
  timeline.add('w1', decodeBatch(batchOf(0, [], 7)));
  expect(timeline.view(0)[0]).toMatchObject({ sessions: 17, workers: 2 });
});

test('percentiles are those of the library, whatever form the counts have', () => {
  const percentiles = [0, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];
  const value = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 3_600_000_000 }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3000 }), fc.boolean(), (values, packed) => {
      const counts = new HdrCounts();
      for (const part of [values.slice(0, 10), values.slice(10)]) {
        counts.addCells(decodeBatch(batchOf(0, part)).series[0]?.cells.latency ?? []);
        if (packed) counts.pack();
      }
      const library = toHistogram(counts);
      expect(counts.total).toBe(values.length);
      expect(valuesAt(counts, percentiles)).toEqual(percentiles.map((one) => library.getValueAtPercentile(one)));
    }),
    { numRuns: 40 },
  );
});
