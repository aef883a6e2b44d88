/** The same block of numbers for the whole run, a stage, a profile, an operation. */

import type { Plan } from '../../scenarios/schema/plan.js';
import { countByUs, targetErrors } from '../analysis/facts/target-errors.js';
import type { Aggregate, Selection, Totals } from '../analysis/merge/contract.js';
import { summarise } from '../analysis/statistics/latency-summary.js';
import type { Report } from './schema.js';

type Operations = Omit<Report['operations'][number], 'name' | 'profile' | 'method'>;
type Block = Omit<Report['summary'], 'durationSeconds'>;

export function operationsBlock({ counts, errors, histograms }: Totals, seconds: number): Operations {
  const { ended, failed } = targetErrors(counts, errors);
  const { latency, service, lag, failure } = histograms;
  return {
    ...counts,
    byUs: countByUs(errors),
    throughputPerSecond: rate(counts.succeeded, seconds),
    offeredPerSecond: rate(counts.offered, seconds),
    deliveredRatio: counts.offered === 0 ? null : counts.sent / counts.offered,
    errorRate: ended === 0 ? null : failed / ended,
    latencyMs: summarise(latency),
    serviceMs: summarise(service),
    lagMs: summarise(lag),
    failureMs: summarise(failure),
  };
}

interface Peaks {
  readonly sessions: number | null;
  readonly connections: number | null;
}

export function block(totals: Totals, seconds: number, peaks: Peaks): Block {
  const { sessionsOpened, sessionsClosed, sessionsLost, sessionsAnswered, connectionsOpened, ...traffic } =
    totals.sessions;
  return {
    ...operationsBlock(totals, seconds),
    connectMs: summarise(totals.connect),
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

/** Most at once in the seconds that the stages cover. */
export function peaksOf(plan: Plan, aggregate: Aggregate, stages: Selection['stages']): Peaks {
  const spans = plan.stages
    .filter(({ index }) => stages.includes(index))
    .map(({ startMs, durationMs }) => [startMs, startMs + durationMs] as const);
  const inside = aggregate
    .timeline()
    .filter(
      ({ t, workers }) => workers > 0 && spans.some(([fromMs, toMs]) => t * 1000 < toMs && (t + 1) * 1000 > fromMs),
    );
  if (inside.length === 0) return { sessions: null, connections: null };
  return {
    sessions: inside.reduce((most, { sessions }) => Math.max(most, sessions), 0),
    connections: inside.reduce((most, { connections }) => Math.max(most, connections), 0),
  };
}

function rate(count: number, seconds: number): number | null {
  return seconds > 0 ? count / seconds : null;
}

/** Map order is arrival order, which a report must not show. */
function sorted(tallies: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...tallies].sort(([a], [b]) => (a < b ? -1 : 1)));
}
