/**
 * What happened over run time. The last quarter of an hour, and the minutes around faults, are kept second by second;
 * of a run of more than an hour, older seconds are merged into steps of up to an hour, each within one stage, so that a
 * run of any length takes the same memory. Histograms are merged with them, so percentiles of a step are its own.
 */
import type { Health } from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { addOperations, noOperations, type OperationCounts } from '../facts/counts.js';
import type { Span } from '../facts/stages.js';
import type { DecodedBatch } from './decoded-batch.js';
import { HdrCounts, sumOfLists, valuesAt } from './hdr-counts.js';

/** One second of run time, or of a long run a step of several, all workers together. */
export interface Second extends Readonly<OperationCounts> {
  /** Seconds of run time at its start. */
  readonly t: number;
  /** How long it is. The counts are those of all of it, the gauges (clients to queued) its highest. */
  readonly seconds: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  /** The other percentiles that were asked for, in their order. */
  readonly othersMs: readonly (number | undefined)[];
  readonly clients: number;
  readonly sessions: number;
  /** In this second. */
  readonly sessionsOpened: number;
  readonly sessionsLost: number;
  /** Answered by another replica than before. */
  readonly sessionsMoved: number;
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

/** From so many entries on, old seconds are merged until there are a quarter fewer. */
const mostEntries = 3600;
const fewerEntries = 2700;
/** The newest seconds stay seconds: live view, stop rules, and workers that were cut off for so long. */
const fineSeconds = 900;
/** Histograms of the newest seconds are open; those of older ones are packed. */
const openSeconds = 15;
/** Each width is a multiple of the one before, so that what was merged once can be merged again. */
const widths = [2, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 86_400] as const;
/** Seconds before and after a fault, or its undo, that stay seconds. */
const beforeFault = 15;
const afterFault = 120;
/** Of all faults together. */
const mostKept = 900;

type Gauges = Telemetry['gauges'];
const gaugeNames = ['clients', 'sessions', 'connections', 'inFlight', 'queued'] as const;

interface Percentiles {
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  readonly othersMs: readonly (number | undefined)[];
}

interface Entry {
  readonly t: number;
  seconds: number;
  sessionsOpened: number;
  sessionsLost: number;
  sessionsMoved: number;
  readonly counts: OperationCounts;
  readonly errors: Record<string, number>;
  /** Of one second: the sums over all workers. Of several: the highest sums. */
  readonly gauges: Gauges;
  workers: number;
  lagP99Ms: number | undefined;
  eventLoopUtilization: number | undefined;
  latency: HdrCounts;
  /** Of `latency`, until something is added. */
  percentiles: Percentiles | undefined;
}

/** The newest gauges of a worker, which its next batch in the same second replaces. */
interface Newest {
  readonly second: number;
  readonly toMs: number;
  readonly gauges: Gauges;
}

export class Timeline {
  private entries: Entry[] = [];
  /** The first second that has no entry yet. */
  private end = 0;
  private packedBelow = 0;
  private readonly newest = new Map<string, Newest>();
  private readonly kept: Span[] = [];
  private keptSeconds = 0;
  private mergeFrom = mostEntries;

  /**
   * @param boundaries run times in seconds at which stages begin, rising: no step holds one inside
   * @param otherPercentiles beside 50, 95, 99 and 100
   */
  constructor(
    private readonly boundaries: readonly number[] = [],
    private readonly otherPercentiles: readonly number[] = [],
  ) {}

  /** The batches of one worker come in their order. */
  add(workerId: string, { batch, series, latency, sessions, replicas }: DecodedBatch): void {
    const number = secondOf(batch.toMs);
    const entry = this.entry(number);
    for (const { series: of } of sessions) {
      entry.sessionsOpened += of.sessionsOpened;
      entry.sessionsLost += of.sessionsLost;
    }
    for (const { series: of } of replicas) entry.sessionsMoved += of.moved;
    for (const one of series) {
      addOperations(entry.counts, one.series);
      for (const category in one.series.errors)
        entry.errors[category] = (entry.errors[category] ?? 0) + (one.series.errors[category] ?? 0);
    }
    if (latency.length > 0) {
      entry.percentiles = undefined;
      entry.latency.addCells(latency);
    }
    if (entry.t < this.packedBelow) entry.latency.pack();
    this.addGauges(entry, workerId, number, batch);
    if (batch.health !== undefined) noteHealth(entry, batch.health);
    this.packOld();
  }

  /** The seconds around this run time stay seconds, for what is measured against it. */
  keepAround(atMs: number): void {
    if (this.keptSeconds >= mostKept) return;
    this.keptSeconds += beforeFault + afterFault;
    this.kept.push({ fromMs: atMs - beforeFault * 1000, toMs: atMs + afterFault * 1000 });
  }

  /** @param from second; an entry that begins before it is left out */
  view(from: number): readonly Second[] {
    return this.entries.slice(this.indexOf(from)).map((entry) => this.viewOf(entry));
  }

  private addGauges(entry: Entry, workerId: string, second: number, { toMs, gauges }: Telemetry): void {
    const before = this.newest.get(workerId);
    const again = before?.second === second;
    if (again && before.toMs > toMs) return;
    if (before === undefined || before.toMs < toMs) this.newest.set(workerId, { second, toMs, gauges });
    if (entry.seconds > 1) return;
    if (!again) entry.workers += 1;
    for (const name of gaugeNames) entry.gauges[name] += gauges[name] - (again ? before.gauges[name] : 0);
  }

  private entry(second: number): Entry {
    while (this.end <= second) {
      this.entries.push(newEntry(this.end));
      this.end += 1;
      if (this.entries.length > this.mergeFrom) this.mergeOld();
    }
    const entry = this.entries[this.indexOf(second + 1) - 1];
    if (entry === undefined) throw new RangeError(`timeline has no second ${second}`);
    return entry;
  }

  /** The index of the first entry that begins at this second or later. */
  private indexOf(second: number): number {
    // The newest seconds, which nearly every batch belongs to, are found by counting back from the end.
    if (second > this.end - fineSeconds) return Math.max(0, this.entries.length - (this.end - second));
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle]?.t ?? 0) < second) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private packOld(): void {
    for (; this.packedBelow < this.end - openSeconds; this.packedBelow += 1) {
      const entry = this.entries[this.indexOf(this.packedBelow)];
      if (entry?.t === this.packedBelow) entry.latency.pack();
    }
  }

  /** What is merged follows from the number of seconds alone, so the same log always gives the same steps. */
  private mergeOld(): void {
    for (const width of widths) {
      if (this.entries.length <= fewerEntries) break;
      const merged: Entry[] = [];
      for (const entry of this.entries) {
        const last = merged.at(-1);
        if (last !== undefined && this.belongTogether(last, entry, width)) mergeInto(last, entry);
        else merged.push(entry);
      }
      for (const entry of merged) if (entry.seconds > 1) entry.latency.pack();
      this.entries = merged;
    }
    // A plan of thousands of stages has more entries than that, and to try again each second would be in vain.
    this.mergeFrom = Math.max(mostEntries, this.entries.length + fineSeconds);
  }

  private belongTogether(one: Entry, next: Entry, width: number): boolean {
    return (
      next.t + next.seconds <= this.end - fineSeconds &&
      Math.floor(one.t / width) === Math.floor(next.t / width) &&
      !this.isKept(one) &&
      !this.isKept(next) &&
      !isBetween(this.boundaries, one.t, next.t + next.seconds - 1)
    );
  }

  private isKept({ t, seconds }: Entry): boolean {
    return this.kept.some(({ fromMs, toMs }) => t * 1000 < toMs && (t + seconds) * 1000 > fromMs);
  }

  private viewOf(entry: Entry): Second {
    const { t, seconds, counts, gauges, errors, lagP99Ms, eventLoopUtilization, workers } = entry;
    const { sessionsOpened, sessionsLost, sessionsMoved } = entry;
    entry.percentiles ??= this.percentilesOf(entry.latency);
    return {
      t,
      seconds,
      ...counts,
      ...entry.percentiles,
      ...gauges,
      sessionsOpened,
      sessionsLost,
      sessionsMoved,
      errors: { ...errors },
      lagP99Ms,
      eventLoopUtilization,
      workers,
    };
  }

  private percentilesOf(latency: HdrCounts): Percentiles {
    const wanted = [50, 95, 99, 100, ...this.otherPercentiles];
    if (latency.total === 0) {
      const none = { p50Ms: undefined, p95Ms: undefined, p99Ms: undefined, maxMs: undefined };
      return { ...none, othersMs: this.otherPercentiles.map(() => undefined) };
    }
    const rising = wanted.toSorted((a, b) => a - b);
    const values = valuesAt(latency, rising);
    const [p50Ms, p95Ms, p99Ms, maxMs, ...othersMs] = wanted.map(
      (percentile) => (values[rising.indexOf(percentile)] ?? 0) / 1000,
    );
    return { p50Ms, p95Ms, p99Ms, maxMs, othersMs };
  }
}

/** The reported seconds that overlap one of the spans. */
export function secondsWithin(timeline: readonly Second[], spans: readonly Span[]): readonly Second[] {
  return timeline.filter(
    ({ t, seconds, workers }) =>
      workers > 0 && spans.some(({ fromMs, toMs }) => t * 1000 < toMs && (t + seconds) * 1000 > fromMs),
  );
}

/** A batch ends at a whole second or earlier, so 1000 belongs to second 0. */
export function secondOf(toMs: number): number {
  return Math.max(0, Math.ceil(toMs / 1000) - 1);
}

function newEntry(t: number): Entry {
  return {
    t,
    seconds: 1,
    sessionsOpened: 0,
    sessionsLost: 0,
    sessionsMoved: 0,
    counts: noOperations(),
    errors: {},
    gauges: { clients: 0, sessions: 0, connections: 0, inFlight: 0, queued: 0 },
    workers: 0,
    lagP99Ms: undefined,
    eventLoopUtilization: undefined,
    latency: new HdrCounts(),
    percentiles: undefined,
  };
}

function mergeInto(one: Entry, next: Entry): void {
  one.seconds = next.t + next.seconds - one.t;
  one.sessionsOpened += next.sessionsOpened;
  one.sessionsLost += next.sessionsLost;
  one.sessionsMoved += next.sessionsMoved;
  addOperations(one.counts, next.counts);
  for (const [category, count] of Object.entries(next.errors))
    one.errors[category] = (one.errors[category] ?? 0) + count;
  for (const name of gaugeNames) one.gauges[name] = Math.max(one.gauges[name], next.gauges[name]);
  one.workers = Math.max(one.workers, next.workers);
  one.lagP99Ms = highest(one.lagP99Ms, next.lagP99Ms);
  one.eventLoopUtilization = highest(one.eventLoopUtilization, next.eventLoopUtilization);
  one.latency = new HdrCounts().addCells(sumOfLists([one.latency.toList(), next.latency.toList()]));
  one.percentiles = undefined;
}

function highest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}

/** Whether one of the boundaries lies above `from` and at or below `to`. */
function isBetween(boundaries: readonly number[], from: number, to: number): boolean {
  return boundaries.some((boundary) => boundary > from && boundary <= to);
}

function noteHealth(entry: Entry, health: Health): void {
  entry.lagP99Ms = highest(entry.lagP99Ms, health.lagP99Ms);
  entry.eventLoopUtilization = highest(entry.eventLoopUtilization, health.eventLoopUtilization);
}
