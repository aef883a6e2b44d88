import { isByUs, isMisbehaviourKey } from '../../client-sim/protocol/misbehaviour-key.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { redactPlan } from '../../scenarios/schema/redact.js';
import type { RunModel } from '../analysis/fold-run.js';
import { unitOf } from '../analysis/format.js';
import { balance } from '../analysis/judge/balance.js';
import { judgeThresholds } from '../analysis/judge/thresholds.js';
import type { Aggregate } from '../analysis/merge/contract.js';
import { encodeCounts } from '../analysis/merge/hdr-counts.js';
import { trialsOf } from '../analysis/statistics/trials.js';
import { block, operationsBlock, peaksOf } from './blocks.js';
import { environmentBlock, eventBlocks, preflightBlock, runBlock } from './log-blocks.js';
import type { MeteredUse } from './read-metrics.js';
import type { Report } from './schema.js';
import { affinityBlock } from './sections/affinity/build.js';
import { faultBlocks } from './sections/faults/section.js';
import { misbehaviourBlock, neighbourBlock } from './sections/misbehaviour/build.js';
import { replicaBlocks, usageBlocks, workerBlocks } from './sections/resources/build.js';
import { memoryBlock } from './sections/resources/memory.js';
import { streamBlocks } from './sections/streams/build.js';
import { describeLoad, describeSession, describeWindow } from './sections/workload/build.js';

/** Pure: the same log gives the same report, to the byte. @param metered of `metrics.json`, where the run has one */
export function buildReport(model: RunModel, metered: readonly MeteredUse[] = []): Report {
  const usage = usageBlocks(model, metered);
  const { plan, facts, aggregate, verdict, problems } = model;
  const measured = plan.stages.filter((stage) => stage.measured).map(({ index }) => index);
  const seconds = secondsOf(aggregate, measured);
  const trials = trialsOf(plan, aggregate);
  const streams = streamBlocks(plan, aggregate, measured);
  return {
    schemaVersion: 1,
    run: runBlock(model),
    verdict: { kind: verdict.kind, reasons: [...verdict.reasons] },
    exitCode: model.exitCode,
    notes: [...problems, ...plan.warnings],
    thresholds: judgeThresholds(plan, aggregate).map(({ threshold: { check }, measured: found, passed }) => ({
      check: check.text,
      metric: check.metric,
      unit: unitOf(check.metric),
      comparison: check.comparison,
      wanted: check.value,
      actual: found.kind === 'value' ? found.value : null,
      passed,
      samples: found.kind === 'value' ? found.samples : 0,
      ...(found.kind === 'no-data' ? { why: found.why } : {}),
    })),
    summary: {
      ...block(aggregate.select({ stages: measured }), seconds, peaksOf(plan, aggregate, measured)),
      durationSeconds: seconds,
    },
    stages: stageBlocks(plan, aggregate, facts.startAt),
    profiles: plan.profiles.map((profile) => ({
      name: profile.name,
      load: describeLoad(profile),
      session: describeSession(profile),
      window: describeWindow(profile),
      clients: profile.clients,
      ...block(aggregate.select({ stages: measured, profile: profile.name }), seconds, {
        sessions: null,
        connections: null,
      }),
    })),
    operations: plan.profiles.flatMap((profile) =>
      profile.operations.map((operation) => ({
        name: operation.name,
        profile: profile.name,
        method: operation.method,
        ...operationsBlock(
          aggregate.select({ stages: measured, profile: profile.name, operation: operation.name }),
          seconds,
        ),
      })),
    ),
    errors: errorBlocks(plan, aggregate, measured),
    memory: memoryBlock(plan, aggregate),
    neighbours: neighbourBlock(plan, aggregate),
    misbehaviour: misbehaviourBlock(plan, aggregate),
    ...(streams === undefined ? {} : { streams }),
    timeline: timelineBlocks(aggregate),
    heatMap: heatMapBlock(aggregate),
    ...(trials === undefined
      ? {}
      : {
          trials: {
            values: trials.trials.map(({ trial, values }) => ({ trial, metrics: { ...values } })),
            intervals: { ...trials.intervals },
          },
        }),
    workers: workerBlocks(model),
    replicas: replicaBlocks(model, usage, measured),
    affinity: affinityBlock(model, measured),
    usage,
    faults: faultBlocks(model),
    events: eventBlocks(facts),
    preflight: preflightBlock(facts),
    environment: environmentBlock(model),
    plan: { ...redactPlan(plan) },
    balance: [...balance(plan, aggregate, facts)],
    histograms: histogramBlock(plan, aggregate, measured),
  };
}

function secondsOf(aggregate: Aggregate, stages: readonly number[]): number {
  return stages.reduce((sum, stage) => sum + aggregate.observedMs(stage), 0) / 1000;
}

function stageBlocks(plan: Plan, aggregate: Aggregate, startAt: number | undefined): Report['stages'] {
  return plan.stages.map((stage) => {
    const durationSeconds = secondsOf(aggregate, [stage.index]);
    return {
      name: stage.name,
      trial: stage.trial,
      measured: stage.measured,
      startedAt:
        startAt === undefined || durationSeconds === 0 ? null : new Date(startAt + stage.startMs).toISOString(),
      startSeconds: stage.startMs / 1000,
      durationSeconds,
      ...block(aggregate.select({ stages: [stage.index] }), durationSeconds, peaksOf(plan, aggregate, [stage.index])),
    };
  });
}

function errorBlocks(plan: Plan, aggregate: Aggregate, measured: readonly number[]): Report['errors'] {
  const unmeasured = plan.stages.map(({ index }) => index).filter((index) => !measured.includes(index));
  const inside = aggregate.select({ stages: measured });
  const outside = aggregate.select({ stages: unmeasured });
  const count = (of: typeof inside, category: string): number =>
    category === 'lost' ? of.counts.lost : (of.errors.get(category) ?? 0);
  const lost = inside.counts.lost + outside.counts.lost > 0 ? ['lost'] : [];
  const categories = new Set([
    ...inside.errors.keys(),
    ...outside.errors.keys(),
    ...aggregate.samples().keys(),
    ...lost,
  ]);
  return [...categories]
    .filter((category) => !isByUs(category) && !isMisbehaviourKey(category))
    .map((category) => ({
      category,
      count: count(inside, category),
      unmeasured: count(outside, category),
      sample: sampleOf(aggregate, category),
    }))
    .sort((a, b) => b.count - a.count || b.unmeasured - a.unmeasured || (a.category < b.category ? -1 : 1));
}

function sampleOf(aggregate: Aggregate, category: string): Report['errors'][number]['sample'] {
  const sample = aggregate.samples().get(category);
  if (sample === undefined) return null;
  const { atMs, profile, operation, detail, request, response } = sample;
  return {
    atSeconds: atMs / 1000,
    profile,
    operation,
    detail,
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
  };
}

function timelineBlocks(aggregate: Aggregate): Report['timeline'] {
  return aggregate
    .timeline()
    .map(({ errors, workers: _, p50Ms, p95Ms, p99Ms, maxMs, lagP99Ms, eventLoopUtilization, ...second }) => ({
      ...second,
      p50Ms: p50Ms ?? null,
      p95Ms: p95Ms ?? null,
      p99Ms: p99Ms ?? null,
      maxMs: maxMs ?? null,
      lagP99Ms: lagP99Ms ?? null,
      eventLoopUtilization: eventLoopUtilization ?? null,
      ...(Object.keys(errors).length === 0
        ? {}
        : { errors: Object.fromEntries(Object.entries(errors).sort(([a], [b]) => (a < b ? -1 : 1))) }),
    }));
}

function heatMapBlock(aggregate: Aggregate): Report['heatMap'] {
  const { columns, ...grid } = aggregate.heatMap();
  return { ...grid, columns: columns.map((column) => [...column]) };
}

function histogramBlock(plan: Plan, aggregate: Aggregate, measured: readonly number[]): Report['histograms'] {
  const whole = aggregate.select({ stages: measured });
  const { latency, service, lag, failure } = whole.histograms;
  const named = [
    ['latency', latency],
    ['service', service],
    ['lag', lag],
    ['failure', failure],
    ['connect', whole.connect],
    ['delivery', whole.delivery],
    ['catchUp', whole.catchUp],
    ...plan.stages.map(
      ({ index }) => [`stage/${index}/latency`, aggregate.select({ stages: [index] }).histograms.latency] as const,
    ),
    ...plan.profiles.flatMap((profile) =>
      profile.operations.map(
        (operation) =>
          [
            `operation/${profile.name}/${operation.name}/latency`,
            aggregate.select({ stages: measured, profile: profile.name, operation: operation.name }).histograms.latency,
          ] as const,
      ),
    ),
  ] as const;
  return Object.fromEntries(
    named.flatMap(([name, counts]) => {
      const encoded = encodeCounts(counts);
      return encoded === undefined ? [] : [[name, encoded]];
    }),
  );
}
