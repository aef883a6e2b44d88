/** What a worker that was lost had not reported, and what that means for the run. */
import type { Plan, ProfilePlan, StagePlan } from '../../../scenarios/schema/plan.js';
import { noOperations } from '../facts/counts.js';
import { clientsOf, type RunFacts, type WorkerFacts } from '../facts/run-facts.js';
import { measuredStages, plannedEndMs } from '../facts/stages.js';
import type { WorkerCounters } from '../facts/worker-counters.js';
import { seconds, whole } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';
import { byKey } from '../order.js';
import { isWhole } from './completeness.js';
import { plannedLoad } from './load-delivery.js';

/** The operations that a lost worker sent in measured stages. */
interface LostCounts {
  readonly workerId: string;
  /** Run time of its last report, milliseconds; 0: there was none. */
  readonly reportedMs: number;
  /** What it had reported. */
  readonly least: number;
  /**
   * With all that was due until it was given up; undefined where no plan says what was due (closed loop, changed load).
   */
  readonly most: number | undefined;
  readonly policy: Plan['onWorkerLoss'];
}

/** A run that went on with less load has not made the planned one, however late that was. */
export function judgeLostWorkers(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts) {
  return lostCounts(plan, aggregate, facts).flatMap(({ workerId, reportedMs, policy }) =>
    policy === 'continue'
      ? [
          `worker ${workerId} was lost after ${seconds(reportedMs)} of the run, and the load went on without its ` +
            'clients (onWorkerLoss: continue): run it again, or use onWorkerLoss: replace to keep the load',
        ]
      : [],
  );
}

/** How much is missing in the counts, of each worker that was lost before it had reported all. */
export function lostWorkerNotes(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly string[] {
  return lostCounts(plan, aggregate, facts).map(({ workerId, reportedMs, least, most }) => {
    const when = reportedMs === 0 ? 'before its first report' : `after its report at ${seconds(reportedMs)}`;
    const sent = most === undefined ? `at least ${whole(least)}` : `between ${whole(least)} and ${whole(most)}`;
    return (
      `worker ${workerId} was lost ${when}: it sent ${sent} operations in measured stages, ` +
      `of which ${whole(least)} are counted`
    );
  });
}

function lostCounts(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly LostCounts[] {
  const measured = measuredStages(plan);
  const lastMs = plannedEndMs({ stages: plan.stages.filter(({ index }) => measured.includes(index)) });
  return [...facts.workers].sort(byKey).flatMap(([workerId, worker]) => {
    const counters = aggregate.workers().get(workerId);
    const reportedMs = counters?.lastMs ?? 0;
    if (worker.lostAtMs === undefined || clientsOf(worker.slots) === 0) return [];
    if (isWhole(worker, counters) || reportedMs >= lastMs) return [];
    const counts = measured.map((index) => counters?.byStage.get(index)?.counts ?? noOperations());
    const due = dueAfter(plan, facts, worker, counters);
    const offered = counts.reduce((sum, { offered: one }) => sum + one, 0);
    return [
      {
        workerId,
        reportedMs,
        least: counts.reduce((sum, { sent }) => sum + sent, 0),
        most: due === undefined ? undefined : offered + due,
        policy: worker.lossPolicy ?? plan.onWorkerLoss,
      },
    ];
  });
}

/** At most how many operations came due for this worker, in measured stages, between its last report and its loss. */
function dueAfter(
  plan: Plan,
  facts: RunFacts,
  { slots, givenUpMs = Infinity }: WorkerFacts,
  counters: WorkerCounters | undefined,
): number | undefined {
  if (facts.adjusted.length > 0 || plan.profiles.some(({ arrivals }) => arrivals.model === 'closed')) return undefined;
  let due = 0;
  for (const stage of plan.stages.filter(({ measured }) => measured)) {
    const fromMs = Math.max(counters?.lastMs ?? 0, stage.startMs);
    const untilMs = Math.min(givenUpMs, stage.startMs + stage.durationMs);
    if (untilMs <= fromMs) continue;
    for (const [index, profile] of plan.profiles.entries()) {
      const clients = clientsOf(slots.filter((slot) => slot.profile === index));
      if (clients > 0) due += mostDue(plan, stage, profile, { clients, fromMs, untilMs });
    }
  }
  return due;
}

function mostDue(
  plan: Plan,
  stage: StagePlan,
  profile: ProfilePlan,
  { clients, fromMs, untilMs }: { readonly clients: number; readonly fromMs: number; readonly untilMs: number },
): number {
  const only = { ...plan, profiles: [profile] };
  const ofAll = plannedLoad(only, stage, untilMs).operations - plannedLoad(only, stage, fromMs).operations;
  // Workers have equal parts of the active clients, but for one client.
  const mean = ofAll * Math.min(1, (clients + 1) / profile.clients);
  const isPoisson = profile.arrivals.model === 'open' && profile.arrivals.spacing === 'poisson';
  // Each client may have one more than its share of the time, and Poisson arrivals vary: 4 standard deviations.
  return Math.ceil(mean + Math.min(clients, mean) + (isPoisson ? 4 * Math.sqrt(mean) : 0));
}
