import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { telemetry } from '../../client-sim/protocol/telemetry.js';
import type { RunEvent, RunEventBody } from '../../harness/log/events.js';
import { armsSchema } from '../../harness/report/sections/arms/schema.js';
import { faults } from '../../harness/report/sections/faults/section.js';
import { reachedRow } from '../../harness/report/sections/reached/build.js';
import { streamsSchema } from '../../harness/report/sections/streams/section.js';
import { upstreams } from '../../harness/report/sections/upstreams/section.js';

const latency = z.looseObject({
  count: z.number(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
});

const block = {
  offered: z.number(),
  sent: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  dropped: z.number(),
  lost: z.number(),
  unsent: z.number(),
  byUs: z.number(),
  errorRate: z.number().nullable(),
  latencyMs: latency,
  latencyFloorMs: latency.optional(),
  serviceFloorMs: latency.optional(),
  serviceMs: latency,
  lagMs: latency,
  connectMs: latency,
  sessions: z.looseObject({ opened: z.number(), closed: z.number(), lost: z.number() }),
};

/** As much of report.json as tests look at. */
const reportSchema = z.looseObject({
  arms: armsSchema.optional(),
  reached: z.array(reachedRow).optional(),
  upstreams: upstreams.schema.upstreams,
  schemaVersion: z.literal(1),
  run: z.looseObject({ id: z.string(), scenario: z.string(), seed: z.number() }),
  verdict: z.looseObject({ kind: z.enum(['passed', 'failed', 'invalid', 'incomplete']), reasons: z.array(z.string()) }),
  notes: z.array(z.string()),
  thresholds: z.array(z.looseObject({ check: z.string(), passed: z.boolean() })),
  summary: z.looseObject(block),
  stages: z.array(z.looseObject({ name: z.string(), measured: z.boolean(), ...block })),
  profiles: z.array(z.looseObject({ name: z.string(), ...block })),
  errors: z.array(z.looseObject({ category: z.string(), count: z.number() })),
  misbehaviour: z.array(
    z.looseObject({
      profile: z.string(),
      kind: z.string(),
      done: z.number(),
      reactions: z.array(z.looseObject({ reaction: z.string(), count: z.number(), judgement: z.string() })),
    }),
  ),
  streams: streamsSchema.optional(),
  workers: z.array(
    z.looseObject({
      id: z.string(),
      health: z.looseObject({ values: z.record(z.string(), z.looseObject({ mean: z.number(), worst: z.number() })) }),
    }),
  ),
  balance: z.array(z.looseObject({ gap: z.number() })),
  faults: faults.schema.faults,
});
type ReportView = z.infer<typeof reportSchema>;

const telemetryLine = z.looseObject({ workerId: z.string(), batch: telemetry });
export type TelemetryView = z.infer<typeof telemetryLine>;

/** What one run left behind in its folder. */
export interface RunFiles {
  readonly folder: string;
  readonly report: ReportView;
  readonly events: readonly RunEvent[];
  readonly telemetry: readonly TelemetryView[];
}

/** The only run in a results folder. */
export function readRun(results: string): RunFiles {
  const folder = runFolder(results);
  return {
    folder,
    report: reportSchema.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))),
    events: readEvents(folder),
    telemetry: lines(join(folder, 'telemetry.jsonl')).map((line) => telemetryLine.parse(line)),
  };
}

export function runFolder(results: string): string {
  const runs = readdirSync(results, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (runs.length !== 1 || runs[0] === undefined)
    throw new Error(`expected one run in ${results}, found: ${runs.map((run) => run.name).join(', ')}`);
  return join(results, runs[0].name);
}

export function readEvents(folder: string): readonly RunEvent[] {
  return lines(join(folder, 'events.jsonl')) as RunEvent[];
}

type Of<Type extends RunEventBody['type']> = Extract<RunEvent, { type: Type }>;

export function eventsOf<Type extends RunEventBody['type']>(
  events: readonly RunEvent[],
  type: Type,
): readonly Of<Type>[] {
  return events.filter((event): event is Of<Type> => event.type === type);
}

/** All lines but a last one that is still being written. */
function lines(file: string): readonly unknown[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

interface OperationTotals {
  sent: number;
  succeeded: number;
  failed: number;
  lost: number;
  dropped: number;
  readonly errors: Record<string, number>;
}

/** Sums over all workers, stages (also those that are not measured) and batches, by operation. */
export function operationTotals(telemetryLines: readonly TelemetryView[]): ReadonlyMap<string, OperationTotals> {
  const totals = new Map<string, OperationTotals>();
  for (const series of telemetryLines.flatMap(({ batch }) => batch.series)) {
    const total = totals.get(series.operation) ?? { sent: 0, succeeded: 0, failed: 0, lost: 0, dropped: 0, errors: {} };
    totals.set(series.operation, total);
    for (const key of ['sent', 'succeeded', 'failed', 'lost', 'dropped'] as const) total[key] += series[key];
    for (const [category, count] of Object.entries(series.errors))
      total.errors[category] = (total.errors[category] ?? 0) + count;
  }
  return totals;
}

/** What became due in each whole second of the run, of one operation or of all. */
export function dueInEachSecond(telemetryLines: readonly TelemetryView[], operation?: string): readonly number[] {
  const seconds: number[] = [];
  for (const { batch } of telemetryLines) {
    const due = batch.series
      .filter((series) => operation === undefined || series.operation === operation)
      .reduce((sum, series) => sum + series.offered, 0);
    if (due === 0) continue;
    const second = Math.ceil(batch.toMs / 1000) - 1;
    seconds[second] = (seconds[second] ?? 0) + due;
  }
  return seconds;
}

export function totalOf(
  telemetryLines: readonly TelemetryView[],
  key: 'sent' | 'succeeded' | 'failed' | 'lost' | 'dropped',
): number {
  return [...operationTotals(telemetryLines).values()].reduce((sum, total) => sum + total[key], 0);
}
