/** Workers and replicas: what each did and what it took. */

import { addOperations, noOperations } from '../../../analysis/facts/counts.js';
import { mergeHealth, readingOf } from '../../../analysis/facts/health-counters.js';
import { clientsOf } from '../../../analysis/facts/run-facts.js';
import type { RunModel } from '../../../analysis/fold-run.js';
import { measuredHealth } from '../../../analysis/judge/generator-health.js';
import type { HealthCounters, HealthKey } from '../../../analysis/merge/contract.js';
import type { MeteredUse } from '../../read-metrics.js';
import type { Report } from '../../schema.js';
import { replicaWork } from '../affinity/build.js';

export function workerBlocks({ plan, facts, aggregate }: RunModel): Report['workers'] {
  const ids = new Set([...facts.workers.keys(), ...aggregate.workers().keys()]);
  return [...ids].sort().map((id) => {
    const told = aggregate.workers().get(id);
    const known = facts.workers.get(id);
    const counts = noOperations();
    for (const stage of told?.byStage.values() ?? []) addOperations(counts, stage.counts);
    const { offered, sent, succeeded, failed } = counts;
    const clock = known?.clock;
    return {
      id,
      host: known?.worker?.host ?? '',
      ...(known?.place === undefined ? {} : { place: { ...known.place } }),
      pid: known?.worker?.pid ?? 0,
      threads: known?.worker?.threads ?? 0,
      slots: clientsOf(known?.slots ?? []),
      offered,
      sent,
      succeeded,
      failed,
      lostAtSeconds: known?.lostAtMs === undefined ? null : known.lostAtMs / 1000,
      ended: known?.finished?.reason ?? told?.final?.reason ?? null,
      batches: told?.sequences.highest ?? 0,
      health: healthBlock(told === undefined ? [] : measuredHealth(plan, told)),
      clock: clock === undefined ? null : { offsetMs: clock.offsetMs, errorMs: clock.errorMs },
    };
  });
}

const healthKeys = [
  'cpu',
  'memoryBytes',
  'eventLoopUtilization',
  'processorWait',
  'eventLoopDelayP99Ms',
  'lagP99Ms',
  'throttledRatio',
  'openFilesShare',
  'localPortsShare',
] as const satisfies readonly HealthKey[];

function healthBlock(all: readonly HealthCounters[]): Report['workers'][number]['health'] {
  const health = mergeHealth(all);
  return {
    reports: health.reports,
    saturated: health.saturated,
    values: Object.fromEntries(
      healthKeys.flatMap((key) => {
        const reading = readingOf(health, key);
        return reading === undefined ? [] : [[key, { ...reading }]];
      }),
    ),
  };
}

/** @param usage of the same report @param measured indices of stages, for what each answered */
export function replicaBlocks(
  { facts, aggregate }: RunModel,
  usage: Report['usage'],
  measured: readonly number[],
): Report['replicas'] {
  const totals = aggregate.select({ stages: measured });
  return facts.replicas.map(({ id, node, url, slot, task, came, gone }) => {
    const own =
      usage.find((series) => series.task !== undefined && series.task === task) ??
      usage.find((series) => series.task === undefined && series.id === id);
    const received = reading(own, (point) => point.receivedBytesPerSecond);
    const sent = reading(own, (point) => point.sentBytesPerSecond);
    return {
      id,
      node,
      url,
      ...(slot === undefined ? {} : { slot }),
      ...(task === undefined ? {} : { task }),
      ...runTime('cameAtSeconds', came, facts.startAt),
      ...runTime('goneAtSeconds', gone, facts.startAt),
      cpu: reading(own, ({ cpu }) => cpu),
      memoryBytes: reading(own, ({ memoryBytes }) => memoryBytes),
      ...(received === null ? {} : { receivedBytesPerSecond: received }),
      ...(sent === null ? {} : { sentBytesPerSecond: sent }),
      ...replicaWork(totals, id),
    };
  });
}

function runTime(
  name: 'cameAtSeconds' | 'goneAtSeconds',
  at: string | undefined,
  startAt: number | undefined,
): Partial<Record<typeof name, number>> {
  return at === undefined || startAt === undefined ? {} : { [name]: (Date.parse(at) - startAt) / 1000 };
}

type Point = Report['usage'][number]['points'][number];
function reading(
  series: Report['usage'][number] | undefined,
  of: (point: Point) => number | undefined,
): { mean: number; worst: number } | null {
  const values = (series?.points ?? []).map(of).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    worst: values.reduce((most, value) => Math.max(most, value), 0),
  };
}

/** Of every replica and worker: what Prometheus scraped, else what the platform was asked for while the run was on. */
export function usageBlocks({ facts, aggregate }: RunModel, metered: readonly MeteredUse[]): Report['usage'] {
  const roles = new Map<string, 'target' | 'worker'>([
    ...facts.replicas.map(({ id }) => [id.slice(0, id.lastIndexOf('.')), 'target'] as const),
    ...[...facts.workers.values()].flatMap(({ place }) =>
      place === undefined ? [] : [[place.service, 'worker'] as const],
    ),
  ]);
  const scraped = metered.flatMap(({ service, ...use }) => {
    const role = roles.get(service);
    return role === undefined ? [] : [{ role, source: 'metrics.json' as const, ...use, points: [...use.points] }];
  });
  const sampled = aggregate
    .usage()
    .filter(({ id }) => !scraped.some((use) => use.id === id))
    .map(({ id, role, points }) => ({
      id,
      role,
      source: 'samples' as const,
      points: points.map(({ atMs, ...values }) => ({ t: atMs / 1000, ...values })),
    }));
  return [...scraped, ...sampled];
}
