import type { FaultRecord } from '../../../analysis/facts/fault-counters.js';
import type { RunModel } from '../../../analysis/fold-run.js';
import { type Recovery, recoveriesOf } from '../../../analysis/statistics/fault-recovery.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { count, duration } from '../../values.js';

type Fault = Report['faults'][number];
type Phase = Pick<Fault, 'convergenceSeconds' | 'recoverySeconds' | 'recoveryUnknown'>;

export function faultsSection({ faults }: Report): Markup {
  return faults.length === 0
    ? html``
    : html`
<h2 id="faults">Faults</h2>
<p>What was changed on purpose while the load was on; shaded in the charts. In effect: from the order until all of it was seen, for replicas running and behind the gateway.
Recovered: until throughput over three seconds stayed at 95 % of the ten seconds before.</p>
${table<Fault>(
  'Faults',
  [
    { head: 'Fault', cell: ({ id, kind }) => `${id} ${kind}` },
    {
      head: 'What',
      cell: ({ target, problem }) =>
        problem === undefined ? target : html`${target} <span class="bad">${problem}</span>`,
      text: true,
    },
    { head: 'At', cell: ({ atSeconds }) => seconds(atSeconds) },
    { head: 'In effect after', cell: (fault) => seconds(fault.convergenceSeconds) },
    { head: 'Recovered after', cell: recovery },
    {
      head: 'Undone at',
      cell: ({ undoneAtSeconds, endedBy }) => (endedBy === 'run-over' ? 'end of the run' : seconds(undoneAtSeconds)),
    },
    { head: 'As before after', cell: ({ undo }) => seconds(undo?.convergenceSeconds ?? null) },
    { head: 'Recovered after', cell: ({ undo }) => (undo === null ? '–' : recovery(undo)) },
    { head: 'Failed during', cell: ({ failedDuring }) => count(failedDuring) },
  ],
  faults,
)}`;
}

function recovery({ recoverySeconds, recoveryUnknown }: Phase): string {
  if (recoverySeconds === 0) return 'never fell';
  return recoverySeconds === null ? `not known: ${recoveryUnknown ?? 'no data'}` : seconds(recoverySeconds);
}

function seconds(value: number | null): string {
  return value === null ? '–' : duration(value);
}

type FaultBlock = Report['faults'][number];

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
    } satisfies FaultBlock;
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
): Pick<FaultBlock, 'convergenceSeconds' | 'recoverySeconds' | 'recoveryUnknown'> {
  return {
    convergenceSeconds: inEffectMs === undefined ? null : (inEffectMs - askedMs) / 1000,
    recoverySeconds: recovery.kind === 'recovered' ? recovery.seconds : null,
    ...(recovery.kind === 'unknown' ? { recoveryUnknown: recovery.why } : {}),
  };
}
