/** The same numbers for the whole run, a stage, a profile and an operation. */
import { z } from 'zod';
import type { Quantiles } from '../../../analysis/facts/quantiles.js';
import { spansOf } from '../../../analysis/facts/stages.js';
import { countByUs, targetErrors } from '../../../analysis/facts/target-errors.js';
import type { RunModel } from '../../../analysis/fold-run.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { secondsWithin } from '../../../analysis/merge/timeline.js';
import { byKey } from '../../../analysis/order.js';
import { isShareKnown } from '../../../analysis/statistics/interval.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import { peak } from '../../../analysis/statistics/numbers.js';
import { count, latencyBlock, maybe } from './fields.js';

/** Operations of a selection of stages, profiles, operations. */
export const operationFields = {
  offered: count,
  sent: count,
  succeeded: count,
  failed: count,
  dropped: count,
  lost: count,
  unsent: count,
  /** Of `failed`: what we did on purpose or cut ourselves; in no error rate. */
  byUs: count,
  throughputPerSecond: maybe,
  offeredPerSecond: maybe,
  deliveredRatio: maybe,
  errorRate: maybe,
  latencyMs: latencyBlock,
  serviceMs: latencyBlock,
  /**
   * The same without what the generator itself added: each quantile of the truth lies between the two. Absent where
   * that is not known.
   */
  latencyFloorMs: latencyBlock.optional(),
  serviceFloorMs: latencyBlock.optional(),
  lagMs: latencyBlock,
  /** From due to the end, of failed operations. */
  failureMs: latencyBlock,
};

/**
 * Operations with the sessions and connections that served them. `answered`: sessions with a correct answer, counted
 * once in each stage. `peak` is null where it is not counted separately.
 */
export const trafficFields = {
  ...operationFields,
  connectMs: latencyBlock,
  sessions: z.strictObject({
    opened: count,
    closed: count,
    lost: count,
    answered: count,
    peak: maybe,
    failures: z.record(z.string(), count),
  }),
  connections: z.strictObject({ opened: count, peak: maybe }),
  messagesSent: count,
  messagesReceived: count,
  bytesSent: count,
  bytesReceived: count,
  lateAnswers: count,
  misbehaved: z.record(z.string(), count),
};

export type Operations = z.infer<z.ZodObject<typeof operationFields>>;
type Traffic = z.infer<z.ZodObject<typeof trafficFields>>;

/** @param asked the quantiles that the scenario asks for */
export function operationsBlock(
  { counts, errors, histograms }: Totals,
  seconds: number,
  asked?: Quantiles,
): Operations {
  const { ended, failed } = targetErrors(counts, errors);
  const { latency, service, lag, failure, latencyFloor, serviceFloor } = histograms;
  return {
    ...counts,
    byUs: countByUs(errors),
    throughputPerSecond: rate(counts.succeeded, seconds),
    offeredPerSecond: rate(counts.offered, seconds),
    deliveredRatio: counts.offered === 0 ? null : counts.sent / counts.offered,
    errorRate: ended === 0 ? null : failed / ended,
    latencyMs: summarise(latency, asked),
    serviceMs: summarise(service, asked),
    ...(isShareKnown(latency, latencyFloor) ? { latencyFloorMs: summarise(latencyFloor, asked) } : {}),
    ...(isShareKnown(service, serviceFloor) ? { serviceFloorMs: summarise(serviceFloor, asked) } : {}),
    lagMs: summarise(lag, asked),
    failureMs: summarise(failure, asked),
  };
}

interface Peaks {
  readonly sessions: number | null;
  readonly connections: number | null;
}

export const noPeaks: Peaks = { sessions: null, connections: null };

export function trafficBlock(totals: Totals, seconds: number, peaks: Peaks, asked?: Quantiles): Traffic {
  const { sessionsOpened, sessionsClosed, sessionsLost, sessionsAnswered, connectionsOpened, ...traffic } =
    totals.sessions;
  return {
    ...operationsBlock(totals, seconds, asked),
    connectMs: summarise(totals.connect, asked),
    sessions: {
      opened: sessionsOpened,
      closed: sessionsClosed,
      lost: sessionsLost,
      answered: sessionsAnswered,
      peak: peaks.sessions,
      failures: sorted(totals.connectFailures),
    },
    connections: { opened: connectionsOpened, peak: peaks.connections },
    ...traffic,
    misbehaved: sorted(totals.misbehaved),
  };
}

/** The most at once in the seconds that these stages cover. @param stages indices */
export function peaksOf({ plan, aggregate }: RunModel, stages: readonly number[]): Peaks {
  const seconds = secondsWithin(aggregate.timeline(), spansOf(plan, stages));
  if (seconds.length === 0) return noPeaks;
  return {
    sessions: peak(seconds.map(({ sessions }) => sessions)),
    connections: peak(seconds.map(({ connections }) => connections)),
  };
}

function rate(times: number, seconds: number): number | null {
  return seconds > 0 ? times / seconds : null;
}

/** Map order is arrival order, which a report must not show. */
function sorted(tallies: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...tallies].sort(byKey));
}
