/** How long throughput took to come back after something was changed under a steady load. */
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { FaultRecord } from '../facts/fault-records.js';
import { plannedEndMs } from '../facts/stages.js';
import type { Aggregate } from '../merge/aggregate.js';
import type { Second } from '../merge/timeline.js';
import { mean } from './numbers.js';

/** Share of the throughput before the change at which it counts as recovered. */
const RECOVERED = 0.95;
/** Throughput is compared with that of so many seconds before the change, at least of `LEAST_BEFORE_S`. */
const BEFORE_S = 10;
const LEAST_BEFORE_S = 3;
/** Throughput is a mean over this many seconds: arrivals of one second are not exactly those of the next. */
const WINDOW_S = 3;

export type Recovery =
  /** 0 seconds: throughput never fell. */
  | { readonly kind: 'recovered'; readonly seconds: number; readonly samples: number }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * From `fromMs` until the mean of three seconds is at least 95 % of the mean of the ten seconds before, and stays so
 * until `toMs`. Unknown where the plan changes the load in that time: then throughput says nothing about the target.
 * @param fromMs run time of the change
 * @param toMs run time of the next change or of the end
 */
export function recoveryOf(plan: Plan, timeline: readonly Second[], fromMs: number, toMs: number): Recovery {
  const first = Math.floor(fromMs / 1000);
  const from = Math.max(0, first - BEFORE_S);
  const successes = successesBySecond(timeline);
  const before = successes.slice(from, first);
  if (before.length < LEAST_BEFORE_S) return unknown(`less than ${LEAST_BEFORE_S} s of load came before it`);
  const after = successes.slice(first, Math.floor(toMs / 1000));
  if (after.length < WINDOW_S) return unknown(`less than ${WINDOW_S} s of load came after it`);
  if (!isSteady(plan, from * 1000, toMs)) return unknown('the load was not the same before and after it');
  const wanted = RECOVERED * mean(before);
  if (wanted === 0) return unknown('nothing succeeded before it');
  const low = after.slice(0, after.length - WINDOW_S + 1).map((_, at) => mean(after.slice(at, at + WINDOW_S)) < wanted);
  const lastLow = low.lastIndexOf(true);
  if (lastLow === low.length - 1) return unknown('throughput had not come back when the next change or the end came');
  return {
    kind: 'recovered',
    seconds: lastLow === -1 ? 0 : Math.max(0, first + lastLow + 1 - fromMs / 1000),
    samples: after.length,
  };
}

interface FaultRecoveries {
  readonly injected: Recovery;
  readonly undone: Recovery;
}

/** From the fault up to its undo, and from its undo up to the next fault or the end of the load. */
export function recoveriesOf(
  plan: Plan,
  aggregate: Pick<Aggregate, 'timeline' | 'faults' | 'lastMs'>,
  fault: FaultRecord,
): FaultRecoveries {
  const { startedMs, endedMs } = fault;
  const timeline = aggregate.timeline();
  const overMs = Math.min(aggregate.lastMs, plannedEndMs(plan));
  const nextMs = aggregate
    .faults()
    .filter((other) => other.startedMs > startedMs)
    .reduce((next, other) => Math.min(next, other.startedMs), overMs);
  return {
    injected: recoveryOf(plan, timeline, startedMs, Math.min(nextMs, endedMs ?? overMs)),
    undone: endedMs === undefined ? unknown('it was not undone') : recoveryOf(plan, timeline, endedMs, nextMs),
  };
}

/** Whether the load has no ramp and no step in between. */
export function isSteady({ stages }: Plan, fromMs: number, toMs: number): boolean {
  const segments = stages
    .flatMap((stage) => stage.segments)
    .filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs);
  const [level] = segments.map(({ from }) => from);
  return segments.every(({ from, to }) => from === to && from === level);
}

/** Around a fault the timeline has every second; what it merged elsewhere is spread evenly. */
function successesBySecond(timeline: readonly Second[]): readonly number[] {
  return timeline.flatMap(({ succeeded, seconds }) => Array.from({ length: seconds }, () => succeeded / seconds));
}

function unknown(why: string): Recovery {
  return { kind: 'unknown', why };
}
