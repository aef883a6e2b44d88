import type { FaultRecord } from '../analysis/fault-book.js';
import { type Recovery, recoveriesOf } from '../analysis/fault-recovery.js';
import type { RunModel } from '../analysis/fold.js';
import type { Report } from './schema.js';

type Fault = Report['faults'][number];

/** Those that began, in order of time. */
export function faultBlocks({ plan, facts: { startAt }, aggregate }: RunModel): Report['faults'] {
  const faults = aggregate.faults();
  const timeline = aggregate.timeline();
  return faults.map((fault) => {
    const { id, kind, target, startedMs, injectedMs, endedMs, ended, undone, undoneMs, problem } = fault;
    const recoveries = recoveriesOf(plan, timeline, aggregate.lastMs, faults, fault);
    const until = undoneMs ?? endedMs ?? aggregate.lastMs;
    const during = timeline.filter(({ t }) => t >= Math.floor(startedMs / 1000) && t * 1000 < until);
    return {
      id,
      kind,
      target,
      ...momentOf('at', startAt, startedMs),
      ...momentOf('undoneAt', startAt, undone ? endedMs : undefined),
      endedBy: ended ?? null,
      ...phase(startedMs, injectedMs, recoveries.injected),
      undo: ended === 'time' && endedMs !== undefined ? phase(endedMs, undoneMs, recoveries.undone) : null,
      failedDuring: during.reduce((sum, { failed, lost }) => sum + failed + lost, 0),
      ...(problem === undefined ? {} : { problem }),
    } satisfies Fault;
  });
}

function momentOf<Name extends 'at' | 'undoneAt'>(name: Name, startAt: number | undefined, ms: FaultRecord['endedMs']) {
  return {
    [name]: ms === undefined || startAt === undefined ? null : new Date(startAt + ms).toISOString(),
    [`${name}Seconds`]: ms === undefined ? null : ms / 1000,
  } as Record<Name, string | null> & Record<`${Name}Seconds`, number | null>;
}

function phase(
  askedMs: number,
  inEffectMs: number | undefined,
  recovery: Recovery,
): Pick<Fault, 'convergenceSeconds' | 'recoverySeconds' | 'recoveryUnknown'> {
  return {
    convergenceSeconds: inEffectMs === undefined ? null : (inEffectMs - askedMs) / 1000,
    recoverySeconds: recovery.kind === 'recovered' ? recovery.seconds : null,
    ...(recovery.kind === 'unknown' ? { recoveryUnknown: recovery.why } : {}),
  };
}
