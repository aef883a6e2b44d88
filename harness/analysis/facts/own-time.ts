/** What one worker added to the times it measured, in one stage. */
import { type CellList, cellLowest } from '../../../client-sim/protocol/histogram-codec.js';
import type { HistogramName, OperationSeries, OwnTimeReport } from '../../../client-sim/protocol/telemetry.js';

/** A series of telemetry with its histograms decoded. */
export interface SeriesCells {
  readonly series: OperationSeries;
  readonly cells: Readonly<Partial<Record<HistogramName, CellList>>>;
}

/** Milliseconds. */
export interface OwnTimeFacts {
  /** Successful operations of which the own share is known, their latencies in all, and without the own share. */
  operations: number;
  latencySumMs: number;
  floorSumMs: number;
  /** The longest that an operation left late, and that an answer may have lain unread; and when, in run time. */
  longestMs: number;
  longestAtMs: number;
  /** How long the worst engine thread was watched, and of that: with a processor, ready without one, stopped. */
  elapsedMs: number;
  onProcessorMs: number;
  waitedMs: number;
  stoppedMs: number;
  /** False: its kernel does not count processor time by thread, so the last three are not known. */
  scheduleKnown: boolean;
}

export function noOwnTime(): OwnTimeFacts {
  return {
    operations: 0,
    latencySumMs: 0,
    floorSumMs: 0,
    longestMs: 0,
    longestAtMs: 0,
    elapsedMs: 0,
    onProcessorMs: 0,
    waitedMs: 0,
    stoppedMs: 0,
    scheduleKnown: true,
  };
}

/** Adds one interval of the worker. @param toMs run time at its end */
export function addOwnInterval(into: OwnTimeFacts, own: OwnTimeReport, toMs: number): void {
  const longestMs = Math.max(own.outMaxMs, own.inMaxMs);
  if (longestMs > into.longestMs) Object.assign(into, { longestMs, longestAtMs: toMs });
  into.elapsedMs += own.elapsedMs;
  into.onProcessorMs += own.onProcessorMs ?? 0;
  into.waitedMs += own.waitedMs ?? 0;
  into.stoppedMs += own.stoppedMs ?? 0;
  into.scheduleKnown &&= own.stoppedMs !== undefined;
}

/** Adds the operations of one series. */
export function addOwnSeries(into: OwnTimeFacts, { cells }: SeriesCells): void {
  const { latency = [], latencyFloor = [] } = cells;
  const measured = sumOf(latency);
  const floor = sumOf(latencyFloor);
  if (floor.count < measured.count) return;
  into.operations += measured.count;
  into.latencySumMs += measured.ms;
  into.floorSumMs += floor.ms;
}

export function mergeOwnTime(all: readonly OwnTimeFacts[]): OwnTimeFacts {
  const sum = noOwnTime();
  for (const one of all) {
    sum.operations += one.operations;
    sum.latencySumMs += one.latencySumMs;
    sum.floorSumMs += one.floorSumMs;
    if (one.longestMs > sum.longestMs) Object.assign(sum, { longestMs: one.longestMs, longestAtMs: one.longestAtMs });
    sum.elapsedMs += one.elapsedMs;
    sum.onProcessorMs += one.onProcessorMs;
    sum.waitedMs += one.waitedMs;
    sum.stoppedMs += one.stoppedMs;
    sum.scheduleKnown &&= one.scheduleKnown;
  }
  return sum;
}

function sumOf(cells: CellList): { readonly count: number; readonly ms: number } {
  let count = 0;
  let us = 0;
  for (let at = 0; at < cells.length; at += 2) {
    const times = cells[at + 1] as number;
    count += times;
    us += times * cellLowest(cells[at] as number);
  }
  return { count, ms: us / 1000 };
}
