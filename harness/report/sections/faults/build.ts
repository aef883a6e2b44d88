import type { RunModel } from '../../../analysis/fold-run.js';
import { type Recovery, recoveriesOf } from '../../../analysis/statistics/fault-recovery.js';
import type { Fault, FaultPhase } from './schema.js';

/** The faults that began, in order of time. */
export function buildFaults({ plan, facts: { startAt }, aggregate }: RunModel): Fault[] {
  const timeline = aggregate.timeline();
  return aggregate.faults().map((fault): Fault => {
    const { id, kind, target, startedMs, injectedMs, endedMs, ended, undone, undoneMs, problem } = fault;
    const recoveries = recoveriesOf(plan, aggregate, fault);
    const until = undoneMs ?? endedMs ?? aggregate.lastMs;
    const during = timeline.filter(({ t }) => t >= Math.floor(startedMs / 1000) && t * 1000 < until);
    const undoAskedMs = undone ? endedMs : undefined;
    return {
      id,
      kind,
      target,
      at: isoTime(startAt, startedMs),
      atSeconds: startedMs / 1000,
      undoneAt: isoTime(startAt, undoAskedMs),
      undoneAtSeconds: undoAskedMs === undefined ? null : undoAskedMs / 1000,
      endedBy: ended ?? null,
      ...phase(startedMs, injectedMs, recoveries.injected),
      undo: ended === 'time' && endedMs !== undefined ? phase(endedMs, undoneMs, recoveries.undone) : null,
      failedDuring: during.reduce((sum, { failed, lost }) => sum + failed + lost, 0),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function isoTime(startAt: number | undefined, ms: number | undefined): string | null {
  return ms === undefined || startAt === undefined ? null : new Date(startAt + ms).toISOString();
}

function phase(askedMs: number, inEffectMs: number | undefined, recovery: Recovery): FaultPhase {
  return {
    convergenceSeconds: inEffectMs === undefined ? null : (inEffectMs - askedMs) / 1000,
    recoverySeconds: recovery.kind === 'recovered' ? recovery.seconds : null,
    ...(recovery.kind === 'unknown' ? { recoveryUnknown: recovery.why } : {}),
  };
}
