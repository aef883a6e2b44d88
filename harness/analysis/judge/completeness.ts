/** Why a run is incomplete: it did not start, was stopped, lost a worker that it needed, or lacks data. */
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { StopReason } from '../../log/events.js';
import { clientsOf, type RunFacts, type WorkerFacts } from '../facts/run-facts.js';
import type { WorkerCounters } from '../facts/worker-counters.js';
import { plural, seconds } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';

export function judgeCompleteness(
  plan: Plan,
  aggregate: Pick<Aggregate, 'workers'>,
  facts: RunFacts,
): readonly string[] {
  const reasons = [...beforeLoad(facts), ...stopped(facts)];
  if (facts.startAt === undefined)
    return reasons.length > 0 ? reasons : ['the run never started: its log ends before the load began'];
  return [
    ...reasons,
    ...[...facts.workers]
      .filter(([, { slots }]) => clientsOf(slots) > 0)
      .flatMap(([workerId, worker]) => judgeWorker(plan, workerId, worker, aggregate.workers().get(workerId), facts)),
  ];
}

function beforeLoad({ failed, preflight }: RunFacts): readonly string[] {
  return [
    ...(preflight.kind === 'failed' ? [`preflight failed: ${preflight.problem}`] : []),
    // After a failed preflight, run.failed mostly repeats its problem.
    ...(failed === undefined || (preflight.kind === 'failed' && failed.message.includes(preflight.problem))
      ? []
      : [`${failed.message}${failed.hint === undefined ? '' : ` (${failed.hint})`}`]),
  ];
}

function stopped({ stops }: RunFacts): readonly string[] {
  return stops.flatMap(({ reason, detail }) => {
    const text = stopReasonText[reason];
    return text === undefined ? [] : [`${text}${detail === '' ? '' : `: ${detail}`}`];
  });
}

/** Undefined where a stop alone does not make the run incomplete: a run that a threshold aborts has failed. */
const stopReasonText = {
  user: 'stopped on request before its end',
  interrupt: 'interrupted before its end',
  shutdown: 'stopped because its harness was told to end',
  'stop-rule': 'stopped by a safety rule (stopWhen)',
  threshold: undefined,
  'worker-loss': 'stopped because a worker was lost',
  error: 'stopped by an error',
} satisfies Record<StopReason, string | undefined>;

function judgeWorker(
  plan: Plan,
  workerId: string,
  worker: WorkerFacts,
  counters: WorkerCounters | undefined,
  facts: RunFacts,
): readonly string[] {
  if (worker.lostAtMs !== undefined) {
    const isStopReason = facts.stops.some(({ reason }) => reason === 'worker-loss');
    if ((worker.lossPolicy ?? plan.onWorkerLoss) !== 'fail' || isStopReason) return [];
    return [
      `worker ${workerId} was lost ${lastReport(counters)} (onWorkerLoss: fail); ` +
        'see its log, and use onWorkerLoss: replace to survive the loss of a worker',
    ];
  }
  const ending = worker.finished ?? counters?.final;
  if (ending === undefined)
    return [`telemetry of worker ${workerId} is missing: it breaks off ${lastReport(counters)}`];
  return [...badEnding(plan, workerId, ending, facts), ...missingBatches(workerId, worker, counters)];
}

function lastReport(counters: WorkerCounters | undefined): string {
  return counters === undefined ? 'before its first telemetry' : `at ${seconds(counters.lastMs)} of the run`;
}

function badEnding(
  plan: Plan,
  workerId: string,
  ending: { readonly reason: string; readonly problem?: string | undefined },
  facts: RunFacts,
): readonly string[] {
  const problem = ending.problem === undefined ? '' : `: ${ending.problem}`;
  if (ending.reason === 'failed') return [`worker ${workerId} failed${problem}`];
  if (ending.reason === 'lease-lost' && plan.onWorkerLoss === 'fail') {
    return [`worker ${workerId} could not reach the controller and stopped its load${problem}`];
  }
  if (ending.reason === 'stopped' && facts.stops.length === 0)
    return [`worker ${workerId} stopped its load by itself${problem}`];
  return [];
}

/** How many batches a worker sent that the log does not hold, and how many it sent. */
function batchesOf(
  finished: WorkerFacts['finished'],
  counters: WorkerCounters | undefined,
): { readonly missing: number; readonly highest: number } {
  const highest = Math.max(finished?.lastSequence ?? 0, counters?.sequences.highest ?? 0);
  return { highest, missing: (counters?.sequences.missing ?? 0) + highest - (counters?.sequences.highest ?? 0) };
}

/** Whether the log holds all that this worker measured: no batch is missing, and the last one is known. */
export function isWhole(worker: WorkerFacts | undefined, counters: WorkerCounters | undefined): boolean {
  const isEnded = worker?.finished !== undefined || counters?.final !== undefined;
  return isEnded && batchesOf(worker?.finished, counters).missing === 0;
}

function missingBatches(
  workerId: string,
  { finished }: WorkerFacts,
  counters: WorkerCounters | undefined,
): readonly string[] {
  const { missing, highest } = batchesOf(finished, counters);
  return missing === 0
    ? []
    : [
        `${plural(missing, 'telemetry batch', 'telemetry batches')} of worker ${workerId} ` +
          `${missing === 1 ? 'is' : 'are'} missing (of ${highest})`,
      ];
}
