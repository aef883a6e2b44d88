/** What one worker added to the times it measured, in one stage. */
import { type CellList, cellLowest } from '../../../client-sim/protocol/histogram-codec.js';
import type { HistogramName, OperationSeries, OwnTimeReport } from '../../../client-sim/protocol/telemetry.js';

/** A series of telemetry with its histograms decoded. */
export interface SeriesCells {
  readonly series: OperationSeries;
  readonly cells: Readonly<Partial<Record<HistogramName, CellList>>>;
}

/** The gaps between operations of an open loop in one interval, as planned and as sent. */
export interface OwnGaps {
  readonly planned: CellList;
  readonly sent: CellList;
}

/** How often each cell came. */
export type CellTally = Map<number, number>;

/** A reported time is no measurement when more than half of it is the generator's own. Less than this never matters. */
const mostShare = 0.5;
const leastOwnMs = 25;

/** Whether a time is more the generator's than the target's. @param floorMs the same without the generator's share */
export function isOurs(measuredMs: number, floorMs: number): boolean {
  return measuredMs - floorMs > Math.max(leastOwnMs, mostShare * measuredMs);
}

/** Milliseconds. */
export interface OwnTimeFacts {
  /** Successful operations of which the own share is known, their latencies in all, and without the own share. */
  operations: number;
  latencySumMs: number;
  floorSumMs: number;
  /** Seconds with such operations, and those of them in which more than half of their latency was the worker's own. */
  seconds: number;
  ownSeconds: number;
  /** Operations sent, and those of an open loop that left in another tenth of a second than planned. */
  sent: number;
  moved: number;
  /** The gaps between operations of an open loop, as planned and as sent. */
  readonly plannedGaps: CellTally;
  readonly sentGaps: CellTally;
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
    seconds: 0,
    ownSeconds: 0,
    sent: 0,
    moved: 0,
    plannedGaps: new Map(),
    sentGaps: new Map(),
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

/**
 * Adds one interval of the worker.
 * @param gaps of `own`, decoded
 * @param toMs run time at its end
 */
export function addOwnInterval(into: OwnTimeFacts, own: OwnTimeReport, gaps: OwnGaps | undefined, toMs: number): void {
  const longestMs = Math.max(own.outMaxMs, own.inMaxMs);
  if (longestMs > into.longestMs) Object.assign(into, { longestMs, longestAtMs: toMs });
  into.sent += own.sent;
  into.moved += own.moved ?? 0;
  if (gaps !== undefined) {
    addCells(into.plannedGaps, gaps.planned);
    addCells(into.sentGaps, gaps.sent);
  }
  into.elapsedMs += own.elapsedMs;
  into.onProcessorMs += own.onProcessorMs ?? 0;
  into.waitedMs += own.waitedMs ?? 0;
  into.stoppedMs += own.stoppedMs ?? 0;
  into.scheduleKnown &&= own.stoppedMs !== undefined;
}

/** Adds the operations of one interval, all of one stage. */
export function addOwnSecond(into: OwnTimeFacts, all: readonly SeriesCells[]): void {
  let operations = 0;
  let latencyMs = 0;
  let floorMs = 0;
  for (const { cells } of all) {
    const measured = sumOf(cells.latency ?? []);
    const floor = sumOf(cells.latencyFloor ?? []);
    if (floor.count < measured.count) continue;
    operations += measured.count;
    latencyMs += measured.ms;
    floorMs += floor.ms;
  }
  if (operations === 0) return;
  into.operations += operations;
  into.latencySumMs += latencyMs;
  into.floorSumMs += floorMs;
  into.seconds += 1;
  if (isOurs(latencyMs / operations, floorMs / operations)) into.ownSeconds += 1;
}

export function mergeOwnTime(all: readonly OwnTimeFacts[]): OwnTimeFacts {
  const sum = noOwnTime();
  for (const one of all) {
    sum.operations += one.operations;
    sum.seconds += one.seconds;
    sum.ownSeconds += one.ownSeconds;
    sum.sent += one.sent;
    sum.moved += one.moved;
    addTally(sum.plannedGaps, one.plannedGaps);
    addTally(sum.sentGaps, one.sentGaps);
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

function addTally(into: CellTally, one: CellTally): void {
  for (const [cell, count] of one) into.set(cell, (into.get(cell) ?? 0) + count);
}

function addCells(into: CellTally, cells: CellList): void {
  for (let at = 0; at < cells.length; at += 2) {
    const cell = cells[at] as number;
    into.set(cell, (into.get(cell) ?? 0) + (cells[at + 1] as number));
  }
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
