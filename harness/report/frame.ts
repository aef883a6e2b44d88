import { z } from 'zod';
import type { RunFacts } from '../analysis/facts/run-facts.js';
import type { RunModel } from '../analysis/fold-run.js';
import { lateSessionNotes } from '../analysis/judge/late-sessions.js';
import { lostWorkerNotes } from '../analysis/judge/lost-workers.js';
import { ownShareNotes } from '../analysis/judge/own-share.js';
import { incidentNotes, incidentsOf } from '../analysis/statistics/incidents.js';

/** The keys of `report.json` that belong to no section: which run it was, and its verdict. */
export const frame = {
  schemaVersion: z.literal(1),
  run: z.strictObject({
    id: z.string(),
    scenario: z.string(),
    description: z.string(),
    seed: z.number(),
    /** ISO 8601. */
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    durationSeconds: z.number(),
    command: z.string(),
    version: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  verdict: z.strictObject({
    kind: z.enum(['passed', 'failed', 'invalid', 'incomplete']),
    reasons: z.array(z.string()),
  }),
  exitCode: z.number().int(),
  /**
   * What to know before reading any number: nearness to the calibrated ceiling, plan warnings, unusable log lines, what
   * happened to the platform by itself.
   */
  notes: z.array(z.string()),
};
export type Frame = z.infer<z.ZodObject<typeof frame>>;

export function buildFrame({ plan, facts, aggregate, verdict, exitCode, problems }: RunModel): Frame {
  const { created, startAt, lastAt } = facts;
  return {
    schemaVersion: 1,
    run: {
      id: created?.runId ?? '',
      scenario: plan.scenario,
      description: plan.description,
      seed: plan.seed,
      startedAt: startAt === undefined ? (created?.at ?? null) : new Date(startAt).toISOString(),
      endedAt: startAt === undefined ? (lastAt ?? null) : new Date(startAt + aggregate.lastMs).toISOString(),
      durationSeconds: aggregate.lastMs / 1000,
      command: created?.command ?? '',
      version: created?.version ?? '',
      labels: { ...created?.labels },
    },
    verdict: { kind: verdict.kind, reasons: [...verdict.reasons] },
    exitCode,
    notes: [
      ...problems,
      ...plan.warnings,
      ...(facts.preflight.kind === 'passed' ? facts.preflight.warnings : []),
      ...lostWorkerNotes(plan, aggregate, facts),
      ...lateSessionNotes(plan, aggregate),
      ...ownShareNotes(plan, aggregate, facts),
      ...adoptionNotes(facts),
      ...incidentNotes(incidentsOf(facts, aggregate)),
    ],
  };
}

function adoptionNotes({ adopted, startAt }: RunFacts): readonly string[] {
  return adopted.map(({ at, silentMs }) => {
    const when = startAt === undefined ? '' : `at ${seconds(Date.parse(at) - startAt)}: `;
    return `${when}the controller was replaced, and the run went on; there is no resource use for ${seconds(silentMs)}`;
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
