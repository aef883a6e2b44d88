/** Percentiles of several workers may be merged only where they ran at the same time. */
import type { Plan, StagePlan } from '../../../scenarios/schema/plan.js';
import { clientsOf, type RunFacts } from '../facts/run-facts.js';
import { percent, seconds } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';
import { stageName } from './load-delivery.js';

const leastOverlap = 0.95;

type Windows = Pick<Aggregate, 'workers' | 'observedMs'>;

export function judgeWindows(plan: Plan, aggregate: Windows, facts: RunFacts): readonly string[] {
  return plan.stages
    .filter((stage) => stage.measured && aggregate.observedMs(stage.index) > 0)
    .flatMap((stage) => {
      const { ratio, latest, earliest } = overlap(stage, aggregate, facts);
      if (ratio >= leastOverlap) return [];
      return [
        `the workers' windows of stage ${stageName(plan, stage)} overlap by ${percent(ratio)} ` +
          `(at least ${percent(leastOverlap)} is needed): ${latest.worker} started it at ${seconds(latest.atMs)} ` +
          `and ${earliest.worker} ended it at ${seconds(earliest.atMs)}. ` +
          'Check that all workers are up and that their clocks and network let them start together',
      ];
    });
}

interface Edge {
  readonly worker: string;
  readonly atMs: number;
}

function overlap(
  stage: StagePlan,
  aggregate: Windows,
  facts: RunFacts,
): { readonly ratio: number; readonly latest: Edge; readonly earliest: Edge } {
  const observedMs = aggregate.observedMs(stage.index);
  let latest: Edge = { worker: '', atMs: stage.startMs };
  let earliest: Edge = { worker: '', atMs: stage.startMs + observedMs };
  for (const workerId of presentThroughout(facts)) {
    const window = aggregate.workers().get(workerId)?.byStage.get(stage.index);
    const fromMs = window?.fromMs ?? stage.startMs + observedMs;
    const toMs = window?.toMs ?? stage.startMs;
    if (fromMs > latest.atMs || latest.worker === '')
      latest = { worker: workerId, atMs: Math.max(fromMs, latest.atMs) };
    if (toMs < earliest.atMs || earliest.worker === '')
      earliest = { worker: workerId, atMs: Math.min(toMs, earliest.atMs) };
  }
  return { ratio: Math.max(0, earliest.atMs - latest.atMs) / observedMs, latest, earliest };
}

/** A lost worker is left out: it is judged by what was delivered without it. */
function presentThroughout(facts: RunFacts): readonly string[] {
  return [...facts.workers]
    .filter(
      ([, { slots, lostAtMs, finished }]) =>
        clientsOf(slots) > 0 && lostAtMs === undefined && finished?.reason !== 'lease-lost',
    )
    .map(([id]) => id);
}
