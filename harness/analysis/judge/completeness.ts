/** Why a run is incomplete: it did not start, was stopped, lost a worker it could not do without, or lacks data. */
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
    // A failed preflight usually ends in run.failed with the same words.
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

/**
 * Undefined: not incomplete for that alone. A threshold's abort is a failed run; the others name their cause
 * themselves.
 */
const stopReasonText = {
  user: 'stopped on request before its end',
  interrupt: 'interrupted before its end',
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
    // A stop for it has told so already.
    const told = facts.stops.some(({ reason }) => reason === 'worker-loss');
    return (worker.lossPolicy ?? plan.onWorkerLoss) === 'fail' && !told
      ? [
          `worker ${workerId} was lost ${lastHeard(counters)} (onWorkerLoss: fail); see its log, and use onWorkerLoss: replace to survive it`,
        ]
      : [];
  }
  const ending = worker.finished ?? counters?.final;
  if (ending === undefined)
    return [`telemetry of worker ${workerId} is missing: it ends ${lastHeard(counters)} and says nothing of an end`];
  return [...badEnding(plan, workerId, ending, facts), ...holes(workerId, worker, counters)];
}

function lastHeard(counters: WorkerCounters | undefined): string {
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

function holes(workerId: string, { finished }: WorkerFacts, counters: WorkerCounters | undefined): readonly string[] {
  const highest = Math.max(finished?.lastSequence ?? 0, counters?.sequences.highest ?? 0);
  const missing = (counters?.sequences.missing ?? 0) + highest - (counters?.sequences.highest ?? 0);
  return missing === 0
    ? []
    : [
        `${plural(missing, 'telemetry batch', 'telemetry batches')} of worker ${workerId} ${missing === 1 ? 'is' : 'are'} missing (of ${highest})`,
      ];
}
