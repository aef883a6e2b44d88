import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import hdr from 'hdr-histogram-js';
import { HistogramError } from '../../../client-sim/protocol/histogram-codec.js';
import { samplePlan } from '../../../tests/support/analysis/sample-plan.js';
import { encode, sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { summarise } from '../statistics/latency-summary.js';
import { RunAggregate } from './aggregate.js';
import { decodeCounts, emptyHistogram, encodeCounts, toHistogram } from './hdr-counts.js';

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 3_600_000_000 })), {
  minLength: 1,
  maxLength: 300,
});

describe('reading histograms', () => {
  test('every count that the library encodes is read back', () => {
    fc.assert(
      fc.property(values, (recorded) => {
        const histogram = emptyHistogram();
        for (const value of recorded) histogram.recordValue(value);
        const encoded = hdr.encodeIntoCompressedBase64(histogram);
        const ours = decodeCounts(encoded);
        expect(ours.total).toBe(recorded.length);
        const again = encodeCounts(ours) ?? '';
        expect(hdr.decodeFromCompressedBase64(again).totalCount).toBe(recorded.length);
        expect(decodeCounts(again).toList()).toEqual(ours.toList());
      }),
      { numRuns: 60 },
    );
  });
});

describe('merging', () => {
  test('any split over workers gives the histogram of all values in one', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (parts) => {
        const whole = decodeCounts(encode(parts.flat()));
        const merged = parts.map((part) => decodeCounts(encode(part))).reduce((sum, part) => sum.addAll(part));
        expect(encodeCounts(merged)).toBe(encodeCounts(whole));
        expect(summarise(merged)).toEqual(summarise(whole));
      }),
      { numRuns: 40 },
    );
  });

  test('percentiles are the ones of the library', () => {
    const recorded = Array.from({ length: 5000 }, (_, i) => (i * i) % 90_001);
    const histogram = toHistogram(decodeCounts(encode(recorded)));
    const summary = summarise(decodeCounts(encode(recorded)));
    expect(summary.p99).toBe(histogram.getValueAtPercentile(99) / 1000);
    expect(summary.max).toBe(histogram.getValueAtPercentile(100) / 1000);
  });

  test('an empty histogram has no percentiles, not zero ones', () => {
    expect(summarise(decodeCounts(encode([])))).toEqual({
      count: 0,
      min: null,
      mean: null,
      p50: null,
      p90: null,
      p95: null,
      p99: null,
      p999: null,
      max: null,
    });
  });
});

describe('the aggregate', () => {
  const plan = samplePlan();
  const everything = { stages: [0, 1] };
  const build = (workers: number, shuffle: boolean) => {
    const aggregate = new RunAggregate(plan);
    const lines = sampleTelemetry(plan, { workers });
    for (const { workerId, batch } of shuffle ? lines.reverse() : lines) aggregate.add(workerId, batch);
    return aggregate;
  };

  test('does not depend on the order of batches', () => {
    const [one, other] = [build(3, false), build(3, true)];
    expect(one.select(everything).counts).toEqual(other.select(everything).counts);
    expect(encodeCounts(one.select(everything).histograms.latency)).toBe(
      encodeCounts(other.select(everything).histograms.latency),
    );
    expect(one.timeline()).toEqual(other.timeline());
    expect(one.heatMap()).toEqual(other.heatMap());
  });

  test('keeps warm-up out of measured numbers and in the timeline', () => {
    const aggregate = build(2, false);
    expect(aggregate.select({ stages: [1] }).counts.offered).toBeLessThan(aggregate.select(everything).counts.offered);
    expect(aggregate.timeline().map(({ t }) => t)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(aggregate.timeline()[0]?.offered).toBeGreaterThan(0);
  });

  test('the seconds and the heat map add up to the totals', () => {
    const aggregate = build(2, false);
    const { counts, histograms } = aggregate.select(everything);
    expect(aggregate.timeline().reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(counts.succeeded);
    expect(
      aggregate
        .heatMap()
        .columns.flat()
        .reduce((sum, count) => sum + count, 0),
    ).toBe(histograms.latency.total);
  });

  test('a broken histogram is refused before anything of its batch is counted', () => {
    const aggregate = new RunAggregate(plan);
    const line = sampleTelemetry(plan)[0];
    if (line === undefined) throw new Error('no line');
    const batch = {
      ...line.batch,
      series: line.batch.series.map((series, at) =>
        at === 0 ? series : { ...series, histograms: { latency: 'AAAA' } },
      ),
    };
    expect(() => aggregate.add('w1', batch)).toThrow(HistogramError);
    expect(aggregate.select(everything).counts.offered).toBe(0);
  });

  test('an hours-long run stays bounded: old seconds keep percentiles, the heat map its columns', () => {
    const long = samplePlan({
      stages: [
        {
          index: 0,
          name: 'long',
          trial: 1,
          startMs: 0,
          durationMs: 7_200_000,
          measured: true,
          scale: 'rate',
          segments: [],
        },
      ],
    });
    const aggregate = new RunAggregate(long);
    const line = sampleTelemetry(plan)[0];
    if (line === undefined) throw new Error('no line');
    for (let second = 0; second < 2000; second += 1) {
      aggregate.add('w1', {
        ...line.batch,
        sequence: second + 1,
        fromMs: second * 1000,
        toMs: (second + 1) * 1000,
        stage: 0,
      });
    }
    const timeline = aggregate.timeline();
    expect(timeline).toHaveLength(2000);
    expect(timeline[3]?.p95Ms).toBe(timeline[1999]?.p95Ms);
    expect(aggregate.heatMap().columns.length).toBeLessThanOrEqual(240);
    expect(aggregate.heatMap().columnSeconds).toBe(16);
  });
});
