/**
 * What happened in each second of run time. Counters of every second are kept; histograms only of the last
 * `openSeconds`, after which a second keeps its percentiles. A batch that comes later than that (from a worker that was
 * cut off for a quarter of an hour) still adds its counters to that second, and its histograms to all totals.
 */
import type { CountPair } from '../../../client-sim/protocol/histogram-codec.js';
import type { Health } from '../../../client-sim/protocol/messages.js';
import { addOperations, noOperations, type OperationCounts } from '../facts/counts.js';
import type { Span } from '../facts/stages.js';
import type { DecodedBatch } from './decoded-batch.js';
import { type CountSource, toHistogram } from './hdr-counts.js';

/** One second of run time, all workers together. */
export interface Second extends Readonly<OperationCounts> {
  /** Seconds of run time at its start. */
  readonly t: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  readonly clients: number;
  readonly sessions: number;
  /** In this second. */
  readonly sessionsOpened: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Worst worker. */
  readonly lagP99Ms: number | undefined;
  readonly eventLoopUtilization: number | undefined;
  /** How many workers reported it. */
  readonly workers: number;
}

const openSeconds = 900;

interface Gauges {
  readonly toMs: number;
  readonly clients: number;
  readonly sessions: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly queued: number;
}
const gaugeNames = ['clients', 'sessions', 'connections', 'inFlight', 'queued'] as const;

interface Percentiles {
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
}

interface OpenSecond {
  sessionsOpened: number;
  readonly counts: OperationCounts;
  readonly errors: Record<string, number>;
  /** The newest of each worker in this second. */
  readonly gauges: Map<string, Gauges>;
  lagP99Ms: number | undefined;
  eventLoopUtilization: number | undefined;
  latency: SparseCounts | Percentiles;
}

export class Timeline {
  private readonly seconds: OpenSecond[] = [];
  private sealedBelow = 0;

  add(workerId: string, { batch, series, sessions }: DecodedBatch): void {
    const second = this.second(secondOf(batch.toMs));
    for (const { series: of } of sessions) second.sessionsOpened += of.sessionsOpened;
    for (const one of series) {
      addOperations(second.counts, one.series);
      for (const [category, count] of Object.entries(one.series.errors)) {
        second.errors[category] = (second.errors[category] ?? 0) + count;
      }
      if (second.latency instanceof SparseCounts) second.latency.addPairs(one.pairs.latency ?? []);
    }
    const known = second.gauges.get(workerId);
    if (known === undefined || known.toMs < batch.toMs)
      second.gauges.set(workerId, { toMs: batch.toMs, ...batch.gauges });
    if (batch.health !== undefined) noteHealth(second, batch.health);
    this.seal();
  }

  view(from: number): readonly Second[] {
    return this.seconds.slice(from).map((second, at) => viewOf(second, from + at));
  }

  private second(number: number): OpenSecond {
    while (this.seconds.length <= number) this.seconds.push(openSecond());
    const second = this.seconds[number];
    if (second === undefined) throw new RangeError(`timeline has no second ${number}`);
    return second;
  }

  private seal(): void {
    for (; this.sealedBelow < this.seconds.length - openSeconds; this.sealedBelow += 1) {
      const second = this.seconds[this.sealedBelow];
      if (second?.latency instanceof SparseCounts) second.latency = second.latency.percentiles();
    }
  }
}

/** The reported seconds that overlap one of the spans. */
export function secondsWithin(timeline: readonly Second[], spans: readonly Span[]): readonly Second[] {
  return timeline.filter(
    ({ t, workers }) => workers > 0 && spans.some(({ fromMs, toMs }) => t * 1000 < toMs && (t + 1) * 1000 > fromMs),
  );
}

/** A batch ends at a whole second or earlier, so 1000 belongs to second 0. */
export function secondOf(toMs: number): number {
  return Math.max(0, Math.ceil(toMs / 1000) - 1);
}

function openSecond(): OpenSecond {
  return {
    sessionsOpened: 0,
    counts: noOperations(),
    errors: {},
    gauges: new Map(),
    lagP99Ms: undefined,
    eventLoopUtilization: undefined,
    latency: new SparseCounts(),
  };
}

function noteHealth(second: OpenSecond, health: Health): void {
  second.lagP99Ms = Math.max(second.lagP99Ms ?? 0, health.lagP99Ms);
  second.eventLoopUtilization = Math.max(second.eventLoopUtilization ?? 0, health.eventLoopUtilization);
}

function viewOf(second: OpenSecond, t: number): Second {
  const gauges = { clients: 0, sessions: 0, connections: 0, inFlight: 0, queued: 0 };
  for (const one of second.gauges.values()) for (const name of gaugeNames) gauges[name] += one[name];
  const { sessionsOpened, lagP99Ms, eventLoopUtilization, latency } = second;
  return {
    t,
    ...second.counts,
    ...(latency instanceof SparseCounts ? latency.percentiles() : latency),
    ...gauges,
    sessionsOpened,
    errors: { ...second.errors },
    lagP99Ms,
    eventLoopUtilization,
    workers: second.gauges.size,
  };
}

/** A second's counts are a few hundred different values; a full array of counts would be 184 KiB. */
class SparseCounts implements CountSource {
  private readonly counts = new Map<number, number>();
  private computed: Percentiles | undefined;

  addPairs(pairs: readonly CountPair[]): void {
    if (pairs.length > 0) this.computed = undefined;
    for (const [index, count] of pairs) this.counts.set(index, (this.counts.get(index) ?? 0) + count);
  }

  each(visit: (index: number, count: number) => void): void {
    for (const [index, count] of this.counts) visit(index, count);
  }

  percentiles(): Percentiles {
    this.computed ??= this.compute();
    return this.computed;
  }

  private compute(): Percentiles {
    if (this.counts.size === 0) return { p50Ms: undefined, p95Ms: undefined, p99Ms: undefined, maxMs: undefined };
    const histogram = toHistogram(this);
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;
    return { p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: at(100) };
  }
}
