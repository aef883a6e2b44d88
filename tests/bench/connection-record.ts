/**
 * `node dist/tests/bench/connection-record.js results/RUN`: what a run of `connection-scaling` showed, as one JSON
 * object to keep: sessions, how many of them had an answered call, calls, and the workers' memory in each stage that
 * holds; and what made the generator late, if something did.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const quantiles = z.object({ p50: z.number().nullable(), p99: z.number().nullable() });
const report = z.object({
  run: z.object({ scenario: z.string(), startedAt: z.string() }),
  verdict: z.object({ kind: z.string(), reasons: z.array(z.string()) }),
  stages: z.array(
    z.object({
      name: z.string(),
      measured: z.boolean(),
      succeeded: z.number(),
      failed: z.number(),
      lost: z.number(),
      latencyMs: quantiles,
      sessions: z.object({ answered: z.number(), opened: z.number(), lost: z.number() }),
    }),
  ),
  environment: z.object({
    nodes: z.array(
      z.object({
        os: z.string(),
        cpuModel: z.string(),
        cores: z.number(),
        memoryBytes: z.number(),
        loadAverage1m: z.number(),
      }),
    ),
    limits: z.unknown(),
    versions: z.unknown(),
    target: z.object({ endpoints: z.array(z.string()) }),
  }),
});
const line = z.object({
  workerId: z.string(),
  batch: z.object({
    stage: z.number(),
    gauges: z.object({ sessions: z.number(), connections: z.number() }),
    health: z.object({
      memoryBytes: z.number(),
      cpu: z.number(),
      eventLoopUtilization: z.number(),
      processorWait: z.number().optional(),
    }),
  }),
});

const [folder = ''] = process.argv.slice(2);
const { run, verdict, stages, environment } = report.parse(
  JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')),
);
const batches = readFileSync(join(folder, 'telemetry.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((text) => line.parse(JSON.parse(text)));

/**
 * Sum over the workers of what each said last in a stage while it held the most connections: after the last stage it
 * lets go of them.
 */
function lastOf(stage: number, value: (batch: (typeof batches)[number]['batch']) => number): number {
  const fullest = new Map<string, (typeof batches)[number]['batch']>();
  for (const { workerId, batch } of batches) {
    if (batch.stage === stage && batch.gauges.connections >= (fullest.get(workerId)?.gauges.connections ?? 0))
      fullest.set(workerId, batch);
  }
  return [...fullest.values()].reduce((sum, batch) => sum + value(batch), 0);
}

/** The mean over all reports of a worker in a stage, for the worst worker. */
function meanOfWorst(
  stage: number,
  value: (health: (typeof batches)[number]['batch']['health']) => number | undefined,
): number | undefined {
  const byWorker = new Map<string, number[]>();
  for (const { workerId, batch } of batches) {
    const told = batch.stage === stage ? value(batch.health) : undefined;
    if (told !== undefined) byWorker.set(workerId, [...(byWorker.get(workerId) ?? []), told]);
  }
  const means = [...byWorker.values()].map((values) => values.reduce((sum, one) => sum + one, 0) / values.length);
  return means.length === 0 ? undefined : Number(Math.max(...means).toFixed(3));
}

const held = stages.flatMap(({ name, measured, succeeded, failed, lost, latencyMs, sessions }, stage) =>
  !measured
    ? []
    : [
        {
          name,
          sessions: lastOf(stage, ({ gauges }) => gauges.sessions),
          connections: lastOf(stage, ({ gauges }) => gauges.connections),
          /**
           * Each counted once: none was opened or lost meanwhile, so as many as are held means that every one was
           * called and answered.
           */
          sessionsAnswered: sessions.answered,
          sessionsOpened: sessions.opened,
          sessionsLost: sessions.lost,
          callsSucceeded: succeeded,
          callsFailed: failed + lost,
          latencyMs,
          workerMemoryBytes: lastOf(stage, ({ health }) => health.memoryBytes),
          /** Of the worst worker. */
          loop: {
            utilization: meanOfWorst(stage, ({ eventLoopUtilization }) => eventLoopUtilization),
            processorWait: meanOfWorst(stage, ({ processorWait }) => processorWait),
            cpuCores: meanOfWorst(stage, ({ cpu }) => cpu),
          },
        },
      ],
);
const calls = stages.reduce((sum, { succeeded }) => sum + succeeded, 0);
const failed = stages.reduce((sum, stage) => sum + stage.failed + stage.lost, 0);
const { nodes, limits, versions, target } = environment;
process.stdout.write(
  `${JSON.stringify(
    {
      run,
      verdict,
      environment: { nodes, limits, versions },
      workers: new Set(batches.map(({ workerId }) => workerId)).size,
      replicas: target.endpoints.length,
      calls,
      failed,
      held,
    },
    undefined,
    2,
  )}\n`,
);
