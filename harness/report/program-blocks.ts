/** Workers and replicas: what each did and what it took. */
import type { Aggregate, HealthBook, HealthKey, UsageSeries } from '../analysis/contract.js';
import { addOperations, noOperations } from '../analysis/counts.js';
import type { RunModel } from '../analysis/fold.js';
import { measuredHealth } from '../analysis/generator-health.js';
import { mergeHealth, readingOf } from '../analysis/health-book.js';
import { clientsOf } from '../analysis/run-facts.js';
import type { Report } from './schema.js';

export const workerBlocks = ({ plan, facts, aggregate }: RunModel): Report['workers'] => {
  const ids = new Set([...facts.workers.keys(), ...aggregate.workers().keys()]);
  return [...ids].sort().map((id) => {
    const told = aggregate.workers().get(id);
    const known = facts.workers.get(id);
    const counts = noOperations();
    for (const stage of told?.byStage.values() ?? []) addOperations(counts, stage.counts);
    const { offered, sent, succeeded, failed } = counts;
    const clock = known?.clock;
    return {
      id, host: known?.worker?.host ?? '', ...(known?.place === undefined ? {} : { place: { ...known.place } }), pid: known?.worker?.pid ?? 0, threads: known?.worker?.threads ?? 0, slots: clientsOf(known?.slots ?? []),
      offered, sent, succeeded, failed,
      lostAtSeconds: known?.lostAtMs === undefined ? null : known.lostAtMs / 1000,
      ended: known?.finished?.reason ?? told?.final?.reason ?? null,
      batches: told?.sequences.highest ?? 0,
      health: healthBlock(told === undefined ? [] : measuredHealth(plan, told)),
      clock: clock === undefined ? null : { offsetMs: clock.offsetMs, errorMs: clock.errorMs },
    };
  });
};

const healthKeys = [
  'cpu', 'memoryBytes', 'eventLoopUtilization', 'eventLoopDelayP99Ms', 'lagP99Ms', 'throttledRatio', 'openFilesShare', 'localPortsShare',
] as const satisfies readonly HealthKey[];

const healthBlock = (books: readonly HealthBook[]): Report['workers'][number]['health'] => {
  const health = mergeHealth(books);
  return {
    reports: health.reports, saturated: health.saturated,
    values: Object.fromEntries(healthKeys.flatMap((key) => {
      const reading = readingOf(health, key);
      return reading === undefined ? [] : [[key, { ...reading }]];
    })),
  };
};

export const replicaBlocks = ({ facts, aggregate }: RunModel): Report['replicas'] => {
  const usage = new Map(aggregate.usage().map((series) => [series.id, series]));
  return facts.replicas.map(({ id, node, url, slot, task }) => {
    const received = reading(usage.get(id), (point) => point.receivedBytesPerSecond);
    const sent = reading(usage.get(id), (point) => point.sentBytesPerSecond);
    return {
      id, node, url, ...(slot === undefined ? {} : { slot }), ...(task === undefined ? {} : { task }),
      cpu: reading(usage.get(id), ({ cpu }) => cpu),
      memoryBytes: reading(usage.get(id), ({ memoryBytes }) => memoryBytes),
      ...(received === null ? {} : { receivedBytesPerSecond: received }),
      ...(sent === null ? {} : { sentBytesPerSecond: sent }),
    };
  });
};

type Point = UsageSeries['points'][number];
const reading = (series: UsageSeries | undefined, of: (point: Point) => number | undefined): { mean: number; worst: number } | null => {
  const values = (series?.points ?? []).map(of).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  return { mean: values.reduce((sum, value) => sum + value, 0) / values.length, worst: values.reduce((most, value) => Math.max(most, value), 0) };
};

export const usageBlocks = (aggregate: Aggregate): Report['usage'] =>
  aggregate.usage().map(({ id, role, points }) => ({
    id, role, points: points.map(({ atMs, ...values }) => ({ t: atMs / 1000, ...values })),
  }));
