import { z } from 'zod';
import type { RunModel } from '../../../analysis/fold-run.js';
import { significant } from '../../../analysis/format.js';
import { type Recovery, recoveriesOf } from '../../../analysis/statistics/fault-recovery.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, duration } from '../../values.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { maybe, count as wholeCount } from '../shared/fields.js';

const phaseFields = {
  /** From the order until the whole change was seen: replicas, for example, ran and were behind the gateway. */
  convergenceSeconds: maybe,
  /** From the order until throughput over 3 s stayed at 95 % of the 10 s before; 0: it never fell. */
  recoverySeconds: maybe,
  /** Why the recovery is not known. */
  recoveryUnknown: z.string().optional(),
};
type FaultPhase = z.infer<z.ZodObject<typeof phaseFields>>;

const schema = {
  /**
   * Changes that were made on purpose during the load, in order of time; `undo` is null for a fault that lasted to the
   * end of the run.
   */
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      target: z.string(),
      /** ISO 8601. */
      at: z.string().nullable(),
      atSeconds: maybe,
      /** When its undo was ordered; null when the platform did not accept it. */
      undoneAt: z.string().nullable(),
      undoneAtSeconds: maybe,
      endedBy: z.enum(['time', 'run-over', 'halted']).nullable(),
      ...phaseFields,
      undo: z.strictObject(phaseFields).nullable(),
      /** Failed and lost operations from its beginning until its undo took effect. */
      failedDuring: wholeCount,
      problem: z.string().optional(),
    }),
  ),
};
type Fault = SectionData<typeof schema>['faults'][number];

export const faults = {
  id: 'faults',
  title: 'Faults',
  schema,
  build: (input) => ({ faults: buildFaults(input) }),
  when: ({ faults: all }) => all.length > 0,
  html: ({ faults: all }) => html`<p>Changes that were made on purpose during the load; the charts shade them.
A fault took effect when the whole change was seen: replicas, for example, ran and were behind the gateway.
Throughput recovered when its mean over three seconds reached 95 % of the ten seconds before the change,
and stayed there.</p>
${table<Fault>(
  'Faults',
  [
    { head: 'Fault', cell: ({ id, kind }) => `${id} ${kind}` },
    {
      head: 'Change',
      cell: ({ target, problem }) =>
        problem === undefined ? target : html`${target} <span class="bad">${problem}</span>`,
      text: true,
    },
    { head: 'At', cell: ({ atSeconds }) => moment(atSeconds) },
    { head: 'Took effect in', cell: ({ convergenceSeconds }) => moment(convergenceSeconds) },
    { head: 'Recovered in', cell: recovery },
    {
      head: 'Undone at',
      cell: ({ undoneAtSeconds, endedBy }) => (endedBy === 'run-over' ? 'end of the run' : moment(undoneAtSeconds)),
    },
    { head: 'Undo took effect in', cell: ({ undo }) => moment(undo?.convergenceSeconds ?? null) },
    { head: 'Recovered from undo in', cell: ({ undo }) => (undo === null ? '–' : recovery(undo)) },
    { head: 'Failed operations', cell: ({ failedDuring }) => count(failedDuring) },
  ],
  all,
)}`,
  markdown: ({ faults: all }) =>
    all.length === 0
      ? ''
      : markdown.table(
          [
            'Fault',
            'Change',
            'At',
            'Took effect in',
            'Recovered in',
            'Undone at',
            'Undo took effect in',
            'Recovered from undo in',
            'Failed operations',
          ],
          all.map((fault) => [
            markdown.text(`${fault.id} ${fault.kind}`),
            markdown.text(fault.target),
            markdown.seconds(fault.atSeconds),
            markdown.seconds(fault.convergenceSeconds),
            markdown.seconds(fault.recoverySeconds),
            markdown.seconds(fault.undoneAtSeconds),
            markdown.seconds(fault.undo?.convergenceSeconds ?? null),
            markdown.seconds(fault.undo?.recoverySeconds ?? null),
            significant(fault.failedDuring),
          ]),
        ),
} satisfies ReportSection<typeof schema>;

/** From the order until throughput was back. */
function recovery({ recoverySeconds, recoveryUnknown }: FaultPhase): string {
  if (recoverySeconds === 0) return 'never fell';
  return recoverySeconds === null ? `unknown: ${recoveryUnknown ?? 'no data'}` : duration(recoverySeconds);
}

function moment(seconds: number | null): string {
  return seconds === null ? '–' : duration(seconds);
}

/** The faults that began, in order of time. */
function buildFaults({ plan, facts: { startAt }, aggregate }: RunModel): Fault[] {
  const timeline = aggregate.timeline();
  return aggregate.faults().map((fault): Fault => {
    const { id, kind, target, startedMs, injectedMs, endedMs, ended, undone, undoneMs, problem } = fault;
    const recoveries = recoveriesOf(plan, aggregate, fault);
    const until = undoneMs ?? endedMs ?? aggregate.lastMs;
    const during = timeline.filter(({ t, seconds }) => t + seconds > startedMs / 1000 && t * 1000 < until);
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
