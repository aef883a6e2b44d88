/** `comparison.json`: everything that its renderings show. Latencies are in ms, rates per second, shares 0 to 1. */
import { z } from 'zod';
import { type Comparison, spectrumOf } from '../analysis/compare/sides.js';
import { encodeCounts } from '../analysis/merge/hdr-counts.js';
import { type Side, subjectsOf } from './compare.js';

const answer = z.enum(['regressed', 'improved', 'equivalent', 'inconclusive']);

const side = z.strictObject({
  name: z.string(),
  runs: z.array(
    z.strictObject({
      id: z.string(),
      startedAt: z.string().nullable(),
      verdict: z.string(),
      labels: z.record(z.string(), z.string()),
    }),
  ),
});

const change = z.strictObject({
  scale: z.enum(['ratio', 'difference']),
  base: z.number(),
  changed: z.number(),
  /** `ratio`: changed / base - 1. `difference`: changed - base. */
  change: z.number(),
  /** 95 % interval of the change; null: the data gives none. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** How often chance alone makes a change this large. */
  p: z.number(),
});

const rule = z.strictObject({
  rule: z.string(),
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
  worse: z.enum(['higher', 'lower']),
  answer,
  /** The interval holds no regression as large as the rule. */
  regressionExcluded: z.boolean(),
  change: change.nullable(),
  /** Why nothing was decided, or what the interval leaves out. */
  why: z.string().optional(),
  power: z
    .strictObject({
      /** Standard deviation between trials: of the logarithm for a ratio. */
      spread: z.number(),
      from: z.enum(['noise', 'these trials']),
      trials: z.number(),
      /** The size of the rule, on the same scale. */
      margin: z.number(),
      /** How often a change as large as the rule is found. */
      power: z.number(),
    })
    .optional(),
  /** Trials a side that would settle it; null: more than 200. Only where it is inconclusive. */
  settledBy: z.number().nullable().optional(),
});

const moment = z.strictObject({
  t: z.number(),
  baseP95Ms: z.number().nullable(),
  changedP95Ms: z.number().nullable(),
  basePerSecond: z.number().nullable(),
  changedPerSecond: z.number().nullable(),
});

const comparison = z.strictObject({
  changed: side,
  /** `within one run`: with fewer than six runs a side, only what varies within a run is known. */
  design: z.enum(['runs', 'paired runs', 'within one run']),
  trials: z.strictObject({ base: z.number(), changed: z.number() }),
  answer,
  /** What the sides differ in on purpose: versions, digests. */
  subjects: z.array(z.string()),
  rules: z.array(rule),
  exploration: z.array(z.strictObject({ metric: z.string(), change, found: z.boolean() })),
  /** Latency by percentile: changed / base with its 95 % interval. */
  shift: z.array(
    z.strictObject({
      percentile: z.number(),
      baseMs: z.number(),
      changedMs: z.number(),
      ratio: z.number(),
      low: z.number().nullable(),
      high: z.number().nullable(),
    }),
  ),
  /** HdrHistogram V2 compressed, base64, microseconds: latency of all runs of a side. Absent when empty. */
  histograms: z.strictObject({ base: z.string().optional(), changed: z.string().optional() }),
  /** Second by second; of several runs the median. */
  timeline: z.array(moment),
});

export const comparisonDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string(),
  scenario: z.string(),
  version: z.string(),
  command: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  /** Why the sides should not be compared, when it was done all the same (`--force`). */
  forced: z.array(z.string()),
  /** The rules are those of swarmbench, because nobody gave any. */
  defaultRules: z.boolean(),
  base: side,
  comparisons: z.array(comparison),
  answer,
  /** What an inconclusive rule means to a pipeline. */
  inconclusive: z.enum(['pass', 'fail']),
  exitCode: z.number(),
});

export type ComparisonDocument = z.infer<typeof comparisonDocument>;
export type ComparedSide = ComparisonDocument['comparisons'][number];
export type RuleRow = ComparedSide['rules'][number];
export type ChangeRow = z.infer<typeof change>;
export type AnswerName = z.infer<typeof answer>;

export function comparisonJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(comparisonDocument, { target: 'draft-2020-12' });
}

export const comparisonExitCodes = { fine: 0, regressed: 5, inconclusive: 6 } as const;

/** @param found of `compareSides` */
export function comparisonRow(base: Side, changed: Side, found: Comparison): ComparedSide {
  const rules = found.rules.map(ruleRow);
  return {
    changed: sideRow(changed),
    design: found.design,
    trials: found.trials,
    answer: overall(rules.map((one) => one.answer)),
    subjects: [...subjectsOf(base, changed)],
    rules,
    exploration: found.exploration.map(({ text, change: one, found: marked }) => ({
      metric: text,
      change: changeRow(one),
      found: marked,
    })),
    shift: found.shift.map((point) => ({ ...point, low: finite(point.low), high: finite(point.high) })),
    histograms: { ...encoded('base', base), ...encoded('changed', changed) },
    timeline: timelineOf(base, changed),
  };
}

/** The answer to all rules: the worst, and equality only where every rule found it. */
export function overall(answers: readonly AnswerName[]): AnswerName {
  const order = ['regressed', 'inconclusive', 'improved'] as const;
  return order.find((one) => answers.includes(one)) ?? (answers.length === 0 ? 'inconclusive' : 'equivalent');
}

/** @param inconclusive what an inconclusive rule means to a pipeline */
export function exitCodeOf(
  comparisons: readonly ComparedSide[],
  inconclusive: 'pass' | 'fail',
): (typeof comparisonExitCodes)[keyof typeof comparisonExitCodes] {
  const rules = comparisons.flatMap((one) => one.rules);
  if (rules.some((one) => one.answer === 'regressed')) return comparisonExitCodes.regressed;
  // An improvement that may or may not be there is no reason to stop anybody.
  const open = rules.some((one) => one.answer === 'inconclusive' && !one.regressionExcluded);
  return open && inconclusive === 'fail' ? comparisonExitCodes.inconclusive : comparisonExitCodes.fine;
}

export function sideRow({ name, runs }: Side): z.infer<typeof side> {
  return {
    name,
    runs: runs.map(({ run, verdict }) => ({
      id: run.id,
      startedAt: run.startedAt,
      verdict: verdict.kind,
      labels: { ...run.labels },
    })),
  };
}

function ruleRow({ rule: of, change: found, why, power, settledBy, ...decided }: Comparison['rules'][number]): RuleRow {
  const labels = Object.entries(of.labels).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]));
  return {
    rule: of.text,
    metric: of.metric,
    labels: Object.fromEntries(labels),
    worse: of.worse,
    ...decided,
    change: found === undefined ? null : changeRow(found),
    ...(why === undefined ? {} : { why }),
    ...(power === undefined ? {} : { power }),
    ...(settledBy === undefined ? {} : { settledBy }),
  };
}

function changeRow({ low, high, ...rest }: NonNullable<Comparison['rules'][number]['change']>): ChangeRow {
  return { ...rest, low: finite(low), high: finite(high) };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function encoded(name: 'base' | 'changed', of: Side): Partial<Record<'base' | 'changed', string>> {
  const text = encodeCounts(spectrumOf(of));
  return text === undefined ? {} : { [name]: text };
}

function timelineOf(base: Side, changed: Side): ComparedSide['timeline'] {
  const [from, to] = [secondsOf(base), secondsOf(changed)];
  const length = Math.max(from.length, to.length);
  return Array.from({ length }, (_, t) => ({
    t,
    baseP95Ms: from[t]?.p95Ms ?? null,
    changedP95Ms: to[t]?.p95Ms ?? null,
    basePerSecond: from[t]?.perSecond ?? null,
    changedPerSecond: to[t]?.perSecond ?? null,
  }));
}

/** Of each second, the median over the runs of a side. */
function secondsOf({ runs }: Side): readonly { readonly p95Ms: number | null; readonly perSecond: number | null }[] {
  const length = Math.max(0, ...runs.map(({ timeline }) => timeline.length));
  return Array.from({ length }, (_, t) => ({
    p95Ms: medianOf(runs.flatMap(({ timeline }) => timeline[t]?.p95Ms ?? [])),
    perSecond: medianOf(runs.flatMap(({ timeline }) => timeline[t]?.succeeded ?? [])),
  }));
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
