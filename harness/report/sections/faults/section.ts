import { z } from 'zod';
import type { RunModel } from '../../../analysis/fold-run.js';
import { significant } from '../../../analysis/format.js';
import { effectsOfAll, type FaultEffects, type PhaseCounts } from '../../../analysis/statistics/fault-effects.js';
import { type Recovery, recoveriesOf } from '../../../analysis/statistics/fault-recovery.js';
import { type Fragment, html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart } from '../../svg/line-chart.js';
import * as markdown from '../../text/markdown-table.js';
import { count, duration, ms, rate } from '../../values.js';
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

const phaseCounts = z.strictObject({
  seconds: z.number(),
  /** Operations that were due in the phase, and what became of them, whenever they ended. */
  due: wholeCount,
  succeeded: wholeCount,
  failed: wholeCount,
  lost: wholeCount,
  /** Correct answers that took longer than `lateMs`. */
  late: wholeCount,
  /** Failures by category. */
  errors: z.record(z.string(), wholeCount),
  /** Within 2 %. */
  p50Ms: maybe,
  p95Ms: maybe,
});
type Counts = z.infer<typeof phaseCounts>;

/** What it did to the load. Moments are seconds of run time. */
const effects = z.strictObject({
  /** First sign that a client saw, within 0.1 s: a failure, a late answer, or no answers. */
  firstEffectAtSeconds: maybe,
  /**
   * From the fault until the objective held again for 3 s (throughput at least 95 % of before, p95 at most 1.5 times,
   * errors at most 1 point above); 0: it never failed.
   */
  objectiveSeconds: maybe,
  objectiveUnknown: z.string().optional(),
  /** The same from its undo. */
  recoveredSeconds: maybe,
  recoveredUnknown: z.string().optional(),
  /** Integral of 1 - good / offered over time, beyond what it was before. */
  unavailableSeconds: maybe,
  /** Longest stretch in which less than half of what was due was answered correctly. */
  outageSeconds: maybe,
  sessionsLost: wholeCount,
  sessionsMoved: wholeCount,
  lateMs: maybe,
  /** By when operations were due: up to 10 s before, while it lasted, up to 60 s after its undo. */
  phases: z.strictObject({ before: phaseCounts, fault: phaseCounts, recovery: phaseCounts }),
  /** Of the fault and its recovery, by profile; `sticky` is null where there is no gateway. */
  profiles: z.array(z.strictObject({ profile: z.string(), sticky: z.string().nullable(), counts: phaseCounts })),
  /** By 100 ms: operations that were due, and those that ended correctly (good) or not (bad). */
  bins: z.strictObject({
    fromSeconds: z.number(),
    due: z.array(wholeCount),
    good: z.array(wholeCount),
    bad: z.array(wholeCount),
  }),
});

const schema = {
  /**
   * Changes that were made on purpose during the load, in order of time; `undo` is null for a fault that lasted to the
   * end of the run.
   */
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      name: z.string(),
      target: z.string(),
      /** Ids of the replicas that it struck. */
      replicas: z.array(z.string()),
      /** When it was decided. ISO 8601. */
      at: z.string().nullable(),
      atSeconds: maybe,
      /** When the platform had accepted the order, and what became of it. */
      orderedAtSeconds: maybe,
      outcome: z.enum(['applied', 'refused', 'unknown']).nullable(),
      /** When it was seen to be in effect, and what showed that: its witness. */
      appliedAtSeconds: maybe,
      evidence: z.string().optional(),
      unwitnessed: z.string().optional(),
      /** What it struck anew while it lasted. */
      followed: z.array(z.string()),
      /** When others noticed it. */
      noticed: z.array(
        z.strictObject({ by: z.enum(['gateway', 'swarm', 'replacement']), atSeconds: z.number(), detail: z.string() }),
      ),
      /** When its undo was ordered; null when the platform did not accept it. */
      undoneAt: z.string().nullable(),
      undoneAtSeconds: maybe,
      endedBy: z.enum(['time', 'run-over', 'halted']).nullable(),
      /** Whether the undo took the second way. */
      undoForced: z.boolean(),
      /** What was not as before after the undo, and what mends it. */
      left: z.array(z.strictObject({ what: z.string(), mend: z.string() })),
      ...phaseFields,
      undo: z.strictObject(phaseFields).nullable(),
      /** Failed and lost operations from its beginning until its undo took effect. */
      failedDuring: wholeCount,
      /** Null where the log has no outcomes around faults. */
      effects: effects.nullable(),
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
  html: ({ faults: all }, time) => html`<p>What was broken on purpose during the load; the charts shade it.
A fault counts only with a witness: something that showed its effect where the requests pass.</p>
${table<Fault>(
  'Faults',
  [
    { head: 'Fault', cell: ({ id, name }) => `${id} ${name}` },
    { head: 'Change', cell: changeCell, text: true },
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
)}
${withEffects(all).length === 0 ? '' : effectsHtml(withEffects(all), time)}`,
  markdown: ({ faults: all }) =>
    all.length === 0
      ? ''
      : [
          markdown.table(
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
              markdown.text(`${fault.id} ${fault.name}`),
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
          effectsMarkdown(withEffects(all)),
          markdown.bullets(all.flatMap(remarks)),
        ]
          .filter((part) => part !== '')
          .join('\n\n'),
} satisfies ReportSection<typeof schema>;

type Seen = Fault & { readonly effects: NonNullable<Fault['effects']> };

function withEffects(all: readonly Fault[]): readonly Seen[] {
  return all.filter((fault): fault is Seen => fault.effects !== null);
}

function changeCell(fault: Fault): Fragment {
  const { target, evidence } = fault;
  const shown = evidence === undefined ? target : html`${target}<br><span class="quiet">${evidence}</span>`;
  const bad = remarks(fault);
  return bad.length === 0 ? shown : html`${shown} <span class="bad">${bad.join('; ')}</span>`;
}

/** What a reader must not miss. */
function remarks({ id, problem, unwitnessed, undoForced, left }: Fault): readonly string[] {
  return [
    ...(problem === undefined ? [] : [`${id}: ${problem}`]),
    ...(unwitnessed === undefined ? [] : [`${id} has no witness: ${unwitnessed}`]),
    ...(undoForced ? [`the undo of ${id} took the second way`] : []),
    ...left.map(({ what, mend }) => `after ${id}: ${what}; mend it with: ${mend}`),
  ];
}

/** Charts of more faults than this would be a page of their own. */
const MOST_CHARTS = 12;

function effectsHtml(all: readonly Seen[], time: TimeContext): Markup {
  return html`<p>The objective holds when, over three seconds, throughput is at least 95 % of the ten seconds before the
fault, p95 at most 1.5 times, and errors at most one point above. Unavailable is the integral of 1 − good ÷ offered,
beyond what it was before.</p>
${table<Seen>(
  'The way back, from the moment when the fault was decided',
  [
    { head: 'Fault', cell: ({ id, name }) => `${id} ${name}` },
    { head: 'Applied', cell: (fault) => sinceStart(fault, fault.appliedAtSeconds) },
    { head: 'First seen by a client', cell: (fault) => sinceStart(fault, fault.effects.firstEffectAtSeconds) },
    { head: 'Gateway took it out', cell: (fault) => noticed(fault, 'gateway') },
    { head: 'Swarm knew', cell: (fault) => noticed(fault, 'swarm') },
    { head: 'Replacement in service', cell: (fault) => noticed(fault, 'replacement') },
    {
      head: 'Objective held again',
      cell: ({ effects: { objectiveSeconds, objectiveUnknown } }) => held(objectiveSeconds, objectiveUnknown),
    },
    { head: 'Undone', cell: (fault) => sinceStart(fault, fault.undoneAtSeconds) },
    {
      head: 'Recovered from undo in',
      cell: ({ effects: { recoveredSeconds, recoveredUnknown } }) => held(recoveredSeconds, recoveredUnknown),
    },
    { head: 'Unavailable', cell: ({ effects: { unavailableSeconds } }) => moment(unavailableSeconds) },
    { head: 'Longest outage', cell: ({ effects: { outageSeconds } }) => moment(outageSeconds) },
    { head: 'Sessions lost', cell: ({ effects: { sessionsLost } }) => count(sessionsLost) },
    { head: 'Sessions moved', cell: ({ effects: { sessionsMoved } }) => count(sessionsMoved) },
  ],
  all,
)}
${table<PhaseRow>(
  'Operations by the phase in which they were due',
  [
    { head: 'Fault', cell: ({ fault }) => `${fault.id} ${fault.name}` },
    { head: 'Phase', cell: ({ phase }) => phase },
    { head: 'Due', cell: ({ counts }) => count(counts.due) },
    { head: 'Failed', cell: ({ counts }) => count(counts.failed) },
    { head: 'Lost', cell: ({ counts }) => count(counts.lost) },
    { head: 'Late', cell: ({ counts }) => count(counts.late) },
    { head: 'p50', cell: ({ counts }) => ms(counts.p50Ms) },
    { head: 'p95', cell: ({ counts }) => ms(counts.p95Ms) },
    { head: 'Failures by category', cell: ({ counts }) => categoriesText(counts), text: true },
  ],
  all.flatMap(phaseRows),
)}
${all.slice(0, MOST_CHARTS).map((fault) => binsChart(fault, time))}`;
}

interface PhaseRow {
  readonly fault: Seen;
  readonly phase: string;
  readonly counts: Counts;
}

/** Its phases, and with several profiles what each of them saw of the fault and its recovery. */
function phaseRows(fault: Seen): readonly PhaseRow[] {
  const { phases, profiles } = fault.effects;
  return [
    { fault, phase: 'before', counts: phases.before },
    { fault, phase: 'fault', counts: phases.fault },
    { fault, phase: 'recovery', counts: phases.recovery },
    ...(profiles.length < 2 ? [] : profiles).map(({ profile, sticky, counts }) => ({
      fault,
      phase: sticky === null ? profile : `${profile} (${sticky})`,
      counts,
    })),
  ];
}

function categoriesText({ errors }: Counts): string {
  return Object.entries(errors)
    .toSorted(([, a], [, b]) => b - a)
    .map(([category, failures]) => `${category} ${count(failures)}`)
    .join(', ');
}

function binsChart(
  { id, name, target, atSeconds, undoneAtSeconds, effects: { bins } }: Seen,
  time: TimeContext,
): Markup {
  const line = (label: string, style: string, values: readonly number[]) => ({
    name: label,
    style,
    points: values.map((value, at) => ({ x: at / 10, y: value * 10 })),
  });
  const from = (atSeconds ?? 0) - bins.fromSeconds;
  const to = (undoneAtSeconds ?? time.endSeconds) - bins.fromSeconds;
  return lineChart({
    id: `fault-${id}`,
    title: `${id} ${name}: ${target}`,
    caption: `Operations a second, in bins of 100 ms, from ${duration(Math.max(0, bins.fromSeconds))} of run time.`,
    time: { endSeconds: bins.due.length / 10, bands: [], marks: [], shades: [{ from, to, text: `${id} ${name}` }] },
    series: [
      line('Answered correctly', 's-main', bins.good),
      line('Due', 's-plain dashed', bins.due),
      ...(bins.bad.some((value) => value > 0) ? [line('Failed', 's-bad', bins.bad)] : []),
    ],
    format: (value) => rate(value),
    height: 220,
  });
}

function effectsMarkdown(all: readonly Seen[]): string {
  if (all.length === 0) return '';
  return markdown.table(
    [
      'Fault',
      'First seen',
      'Objective held again',
      'Recovered from undo',
      'Unavailable',
      'Failed',
      'Lost',
      'Late',
      'Sessions lost',
    ],
    all.map(({ id, name, effects: { phases, ...seen }, ...fault }) => {
      const both = [phases.fault, phases.recovery];
      const total = (of: (counts: Counts) => number): string =>
        significant(both.reduce((sum, one) => sum + of(one), 0));
      return [
        markdown.text(`${id} ${name}`),
        markdown.seconds(difference(seen.firstEffectAtSeconds, fault.atSeconds)),
        markdown.seconds(seen.objectiveSeconds),
        markdown.seconds(seen.recoveredSeconds),
        markdown.seconds(seen.unavailableSeconds),
        total(({ failed }) => failed),
        total(({ lost }) => lost),
        total(({ late }) => late),
        significant(seen.sessionsLost),
      ];
    }),
  );
}

function held(seconds: number | null, unknown: string | undefined): string {
  if (seconds === 0) return 'never failed';
  return seconds === null ? `unknown: ${unknown ?? 'no data'}` : duration(seconds);
}

function noticed(fault: Seen, by: Fault['noticed'][number]['by']): string {
  return sinceStart(fault, fault.noticed.find((one) => one.by === by)?.atSeconds ?? null);
}

function sinceStart({ atSeconds }: Fault, seconds: number | null): string {
  return moment(difference(seconds, atSeconds));
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Number((a - b).toFixed(3));
}

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
  const effectsById = effectsOfAll(plan, aggregate);
  return aggregate.faults().map((fault): Fault => {
    const { id, kind, name, target, startedMs, injectedMs, endedMs, ended, undone, undoneMs, problem } = fault;
    const recoveries = recoveriesOf(plan, aggregate, fault);
    const until = undoneMs ?? endedMs ?? aggregate.lastMs;
    const during = timeline.filter(({ t, seconds }) => t + seconds > startedMs / 1000 && t * 1000 < until);
    const undoAskedMs = undone ? endedMs : undefined;
    const seen = effectsById.get(id);
    return {
      id,
      kind,
      name,
      target,
      replicas: [...fault.replicas],
      at: isoTime(startAt, startedMs),
      atSeconds: startedMs / 1000,
      orderedAtSeconds: secondsOf(fault.orderedMs),
      outcome: fault.outcome ?? null,
      appliedAtSeconds: secondsOf(injectedMs),
      ...(fault.evidence === undefined ? {} : { evidence: fault.evidence }),
      ...(fault.unwitnessed === undefined ? {} : { unwitnessed: fault.unwitnessed }),
      followed: [...fault.followed],
      noticed: fault.noticed.map(({ by, atMs, detail }) => ({ by, atSeconds: atMs / 1000, detail })),
      undoneAt: isoTime(startAt, undoAskedMs),
      undoneAtSeconds: secondsOf(undoAskedMs),
      endedBy: ended ?? null,
      undoForced: fault.forced === true,
      left: fault.left.map((one) => ({ ...one })),
      ...phase(startedMs, injectedMs, recoveries.injected),
      undo: ended === 'time' && endedMs !== undefined ? phase(endedMs, undoneMs, recoveries.undone) : null,
      failedDuring: during.reduce((sum, { failed, lost }) => sum + failed + lost, 0),
      effects: seen === undefined ? null : buildEffects(seen),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function buildEffects(seen: FaultEffects): NonNullable<Fault['effects']> {
  const { objective, recovered, phases, profiles, bins } = seen;
  return {
    firstEffectAtSeconds: secondsOf(seen.firstEffectMs),
    objectiveSeconds: objective.kind === 'recovered' ? objective.seconds : null,
    ...(objective.kind === 'unknown' ? { objectiveUnknown: objective.why } : {}),
    recoveredSeconds: recovered.kind === 'recovered' ? recovered.seconds : null,
    ...(recovered.kind === 'unknown' ? { recoveredUnknown: recovered.why } : {}),
    unavailableSeconds: seen.unavailableSeconds ?? null,
    outageSeconds: seen.outageSeconds ?? null,
    sessionsLost: seen.sessionsLost,
    sessionsMoved: seen.sessionsMoved,
    lateMs: seen.lateMs ?? null,
    phases: {
      before: buildCounts(phases.before),
      fault: buildCounts(phases.fault),
      recovery: buildCounts(phases.recovery),
    },
    profiles: profiles.map(({ profile, sticky, counts }) => ({
      profile,
      sticky: sticky ?? null,
      counts: buildCounts(counts),
    })),
    bins: {
      fromSeconds: bins.fromMs / 1000,
      due: [...bins.due],
      good: [...bins.good],
      bad: [...bins.bad],
    },
  };
}

function buildCounts({ errors, p50Ms, p95Ms, ...counts }: PhaseCounts): Counts {
  return { ...counts, errors: { ...errors }, p50Ms: p50Ms ?? null, p95Ms: p95Ms ?? null };
}

function secondsOf(timeMs: number | undefined): number | null {
  return timeMs === undefined ? null : timeMs / 1000;
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
