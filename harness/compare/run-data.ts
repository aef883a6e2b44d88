/** What a comparison reads of a run: its `report.json`, from this version or an older one. */
import { z } from 'zod';
import { decodeHistogram } from '../../client-sim/protocol/histogram-codec.js';
import type { RulePlan } from '../../scenarios/schema/plan.js';
import type { BlockData } from '../analysis/compare/figures-of.js';
import { HdrCounts } from '../analysis/merge/hdr-counts.js';
import { blocksSchema } from '../report/sections/blocks/section.js';

const latencies = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() });

/** Keys that are not read may be anything. */
const reportFile = z.object({
  schemaVersion: z.literal(1),
  run: z.object({
    id: z.string(),
    scenario: z.string(),
    startedAt: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
  }),
  verdict: z.object({ kind: z.string(), reasons: z.array(z.string()) }),
  plan: z.looseObject({ compare: z.array(z.unknown()).optional() }),
  environment: z.record(z.string(), z.unknown()),
  workers: z.array(z.unknown()).optional(),
  summary: z.object({ latencyMs: latencies, throughputPerSecond: z.number().nullable() }),
  timeline: z.array(
    z.object({
      t: z.number(),
      succeeded: z.number(),
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
    }),
  ),
  histograms: z.record(z.string(), z.string()),
  blocks: blocksSchema.optional(),
});

type ReportFile = z.infer<typeof reportFile>;

/** A run with its histograms decoded. */
export interface RunData extends Omit<ReportFile, 'blocks' | 'plan'> {
  /** Rules of its scenario. */
  readonly rules: readonly RulePlan[];
  readonly plan: Readonly<Record<string, unknown>>;
  /** Empty for a run of an older version, or without any load. */
  readonly blocks: readonly BlockData[];
}

const rule = z.looseObject({
  text: z.string(),
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
  worse: z.enum(['higher', 'lower']),
  relative: z.number().optional(),
  absolute: z.number().optional(),
});

type ParsedRun = { readonly ok: true; readonly run: RunData } | { readonly ok: false; readonly problem: string };

export function parseRun(json: unknown): ParsedRun {
  const parsed = reportFile.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a report'}` };
  }
  const { blocks = [], plan, ...report } = parsed.data;
  try {
    return {
      ok: true,
      run: {
        ...report,
        plan,
        rules: (plan.compare ?? []).flatMap((one) => rule.safeParse(one).data ?? []) as readonly RulePlan[],
        blocks: blocks.map(({ stage, trial, seconds, cells, connect }) => ({
          stage,
          trial,
          seconds,
          connect: countsOf(connect),
          cells: cells.map(
            ({ profile, operation, offered, sent, succeeded, failed, latency, service, latencyFloor }) => ({
              profile,
              operation,
              offered,
              sent,
              succeeded,
              failed,
              latency: countsOf(latency),
              service: countsOf(service),
              latencyFloor: countsOf(latencyFloor ?? latency),
            }),
          ),
        })),
      },
    };
  } catch (error) {
    return {
      ok: false,
      problem: `a histogram is unreadable: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function countsOf(encoded: string | undefined): HdrCounts {
  const counts = new HdrCounts();
  return encoded === undefined ? counts : counts.addCells(decodeHistogram(encoded));
}
