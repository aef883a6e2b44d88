/** `suite.json`: one row for each run of a suite. Latencies are in ms, rates per second, shares 0 to 1. */
import { z } from 'zod';
import type { Report } from '../report/schema.js';
import { shownQuantiles } from '../report/sections/shared/fields.js';

const kinds = ['passed', 'failed', 'invalid', 'incomplete', 'skipped'] as const;

const threshold = z.strictObject({
  check: z.string(),
  unit: z.enum(['ms', 'ratio', 'perSecond', 'count', 'cores', 'bytes']),
  actual: z.number().nullable(),
  passed: z.boolean(),
});

const row = z.strictObject({
  scenario: z.string(),
  /** What the suite calls this run: its title, else the scenario with its place on the axes. */
  title: z.string(),
  /** Its value on each axis of a matrix. */
  axes: z.record(z.string(), z.string()),
  /** 1 for the first of several trials. */
  trial: z.number().int(),
  /** `skipped`: an earlier run failed, or the suite was interrupted. */
  verdict: z.enum(kinds),
  reasons: z.array(z.string()),
  exitCode: z.number().int().nullable(),
  /** Null where it was skipped. */
  runId: z.string().nullable(),
  /** Of the run, from the folder of the suite. */
  folder: z.string().nullable(),
  startedAt: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  thresholds: z.array(threshold),
  /** Null where there is no report. */
  figures: z
    .strictObject({
      offered: z.number(),
      sent: z.number(),
      succeeded: z.number(),
      failed: z.number(),
      throughputPerSecond: z.number().nullable(),
      errorRate: z.number().nullable(),
      deliveredRatio: z.number().nullable(),
      /** By quantile, from the due time: `p50`, `p95` ... */
      latencyMs: z.record(z.string(), z.number().nullable()),
    })
    .nullable(),
});
export type SuiteRow = z.infer<typeof row>;

export const suiteDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string(),
  name: z.string(),
  description: z.string().optional(),
  version: z.string(),
  command: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** That of the worst run. */
  exitCode: z.number().int(),
  verdict: z.enum(['passed', 'failed', 'invalid', 'incomplete']),
  /** Axes with more than one value, and their values in order. */
  axes: z.array(z.strictObject({ name: z.string(), values: z.array(z.string()) })),
  rows: z.array(row),
});
export type SuiteDocument = z.infer<typeof suiteDocument>;

export function suiteJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(suiteDocument, { target: 'draft-2020-12' });
}

/** What is known of a run before it began. */
export type PlannedRow = Pick<SuiteRow, 'scenario' | 'title' | 'axes' | 'trial'>;

/** @param folder of the run, from the folder of the suite */
export function rowOf(planned: PlannedRow, folder: string, report: Report): SuiteRow {
  const { run, verdict, thresholds, summary, exitCode } = report;
  const { offered, sent, succeeded, failed, throughputPerSecond, errorRate, deliveredRatio } = summary;
  return {
    ...planned,
    verdict: verdict.kind,
    reasons: verdict.reasons,
    exitCode,
    runId: run.id,
    folder,
    startedAt: run.startedAt,
    durationSeconds: run.durationSeconds,
    thresholds: thresholds.map(({ check, unit, actual, passed }) => ({ check, unit, actual, passed })),
    figures: {
      offered,
      sent,
      succeeded,
      failed,
      throughputPerSecond,
      errorRate,
      deliveredRatio,
      latencyMs: Object.fromEntries(shownQuantiles(summary.latencyMs)),
    },
  };
}

/** A run that has no report, or that was left out. */
export function rowWithout(
  planned: PlannedRow,
  {
    verdict,
    reasons,
    exitCode,
    runId = null,
    folder = null,
  }: Pick<SuiteRow, 'verdict' | 'reasons' | 'exitCode'> & Partial<Pick<SuiteRow, 'runId' | 'folder'>>,
): SuiteRow {
  const nothing = { startedAt: null, durationSeconds: null, thresholds: [], figures: null };
  return { ...planned, verdict, reasons: [...reasons], exitCode, runId, folder, ...nothing };
}

/** The verdict of all: that of the worst run. A run that was left out makes the suite incomplete. */
export function verdictOf(rows: readonly SuiteRow[]): SuiteDocument['verdict'] {
  const kindsFound = new Set(rows.map(({ verdict }) => verdict));
  if (kindsFound.has('incomplete') || kindsFound.has('skipped')) return 'incomplete';
  if (kindsFound.has('invalid')) return 'invalid';
  return kindsFound.has('failed') ? 'failed' : 'passed';
}

/** The quantiles of a suite: those of all its runs, in the order of the first that has them. */
export function quantilesOf(rows: readonly SuiteRow[]): readonly string[] {
  return [...new Set(rows.flatMap(({ figures }) => Object.keys(figures?.latencyMs ?? {})))];
}

/** Axes on which the rows differ. */
export function axesOf(rows: readonly PlannedRow[]): SuiteDocument['axes'] {
  const names = [...new Set(rows.flatMap(({ axes }) => Object.keys(axes)))];
  return names
    .map((name) => ({ name, values: [...new Set(rows.flatMap(({ axes }) => axes[name] ?? []))] }))
    .filter(({ values }) => values.length > 1);
}
