import { z } from 'zod';
import type { Aggregate } from '../../../analysis/merge/aggregate.js';
import { byKey } from '../../../analysis/order.js';
import type { TimeContext } from '../../svg/frame.js';
import type { Point, Series } from '../../svg/line-chart.js';
import { count, maybe } from '../shared/fields.js';

/** One entry for each second of run time. */
export const timelineSchema = z.array(
  z.strictObject({
    t: count,
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
    clients: count,
    sessions: count,
    sessionsOpened: count,
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

export function buildTimeline(aggregate: Aggregate): Timeline {
  return aggregate
    .timeline()
    .map(({ errors, workers: _, p50Ms, p95Ms, p99Ms, maxMs, lagP99Ms, eventLoopUtilization, ...second }) => ({
      ...second,
      p50Ms: p50Ms ?? null,
      p95Ms: p95Ms ?? null,
      p99Ms: p99Ms ?? null,
      maxMs: maxMs ?? null,
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
  return timeline.slice(0, endSeconds).map((second) => ({ x: second.t, y: of(second) }));
}

/** A line, or none if it would be zero throughout. */
export function lineUnlessZero(
  series: Omit<Series, 'points'>,
  timeline: Timeline,
  time: TimeContext,
  of: (second: Second) => number,
): readonly Series[] {
  return timeline.some((second) => of(second) > 0) ? [{ ...series, points: pointsOf(timeline, time, of) }] : [];
}
