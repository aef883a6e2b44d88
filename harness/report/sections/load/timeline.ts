import { z } from 'zod';
import type { Plan } from '../../../../scenarios/schema/plan.js';
import { otherQuantiles } from '../../../analysis/facts/quantiles.js';
import type { Aggregate } from '../../../analysis/merge/aggregate.js';
import { byKey } from '../../../analysis/order.js';
import type { TimeContext } from '../../svg/frame.js';
import type { Point, Series } from '../../svg/line-chart.js';
import { count, maybe } from '../shared/fields.js';

/**
 * One entry for each second of run time. Of runs of more than an hour, older seconds are merged into longer steps:
 * their counts are those of all of the step, `clients` to `queued` its highest.
 */
export const timelineSchema = z.array(
  z.strictObject({
    t: count,
    /** How long the step is; absent: one second. */
    seconds: count.optional(),
    offered: count,
    sent: count,
    succeeded: count,
    failed: count,
    dropped: count,
    lost: count,
    unsent: count,
    p50Ms: maybe,
    p95Ms: maybe,
    p99Ms: maybe,
    maxMs: maybe,
    /** The other quantiles that the scenario asks for, by name. */
    quantilesMs: z.record(z.string(), maybe).optional(),
    clients: count,
    sessions: count,
    sessionsOpened: count,
    sessionsLost: count,
    /** Answered by another replica than before. */
    sessionsMoved: count,
    connections: count,
    inFlight: count,
    queued: count,
    lagP99Ms: maybe,
    eventLoopUtilization: maybe,
    errors: z.record(z.string(), count).optional(),
  }),
);
export type Timeline = z.infer<typeof timelineSchema>;
type Second = Timeline[number];

export interface TimelineData {
  readonly timeline: Timeline;
}

export function buildTimeline(plan: Plan, aggregate: Aggregate): Timeline {
  const others = [...otherQuantiles(plan).keys()];
  return aggregate
    .timeline()
    .map(({ t, seconds, errors, workers: _, othersMs, lagP99Ms, eventLoopUtilization, ...second }) => ({
      t,
      ...(seconds === 1 ? {} : { seconds }),
      ...second,
      p50Ms: second.p50Ms ?? null,
      p95Ms: second.p95Ms ?? null,
      p99Ms: second.p99Ms ?? null,
      maxMs: second.maxMs ?? null,
      ...(others.length === 0
        ? {}
        : { quantilesMs: Object.fromEntries(others.map((name, at) => [name, othersMs[at] ?? null])) }),
      lagP99Ms: lagP99Ms ?? null,
      eventLoopUtilization: eventLoopUtilization ?? null,
      ...(Object.keys(errors).length === 0 ? {} : { errors: Object.fromEntries(Object.entries(errors).sort(byKey)) }),
    }));
}

/** One value of each second that the charts show. */
export function pointsOf(
  timeline: Timeline,
  { endSeconds }: TimeContext,
  of: (second: Second) => number | null,
): readonly Point[] {
  return (
    timeline
      .filter(({ t }) => t < endSeconds)
      // A chart draws the value of a second in its middle, half a second after its x.
      .map((second) => ({ x: second.t + (lengthOf(second) - 1) / 2, y: of(second) }))
  );
}

/** The same of counts, as so many a second. */
export function ratesOf(timeline: Timeline, time: TimeContext, of: (second: Second) => number): readonly Point[] {
  return pointsOf(timeline, time, (second) => of(second) / lengthOf(second));
}

/** In seconds. */
export function lengthOf({ seconds = 1 }: Second): number {
  return seconds;
}

/** A line of counts a second, or none if it would be zero throughout. */
export function lineUnlessZero(
  series: Omit<Series, 'points'>,
  timeline: Timeline,
  time: TimeContext,
  of: (second: Second) => number,
): readonly Series[] {
  return timeline.some((second) => of(second) > 0) ? [{ ...series, points: ratesOf(timeline, time, of) }] : [];
}
