import { noReplica } from '../../../analysis/facts/counts.js';
import { HdrCounts } from '../../../analysis/merge/hdr-counts.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import { mean, peak } from '../../../analysis/statistics/numbers.js';
import type { BuildInput } from '../report-section.js';
import { sessionsOf } from '../shared/replica-sessions.js';
import type { Replica, Usage, UsagePoint } from './schema.js';

/** Of every replica and worker: as Prometheus scraped it, or else as the platform was sampled. */
export function buildUsage({ facts, aggregate, metered }: BuildInput): Usage[] {
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

/** @param usage of the same report */
export function buildReplicas({ facts, aggregate, measured }: BuildInput, usage: readonly Usage[]): Replica[] {
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

function reading(
  series: Usage | undefined,
  of: (point: UsagePoint) => number | undefined,
): { mean: number; worst: number } | null {
  const values = (series?.points ?? []).map(of).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  return { mean: mean(values), worst: peak(values) };
}

/** What one replica answered; zeros where it answered nothing. */
function replicaWork(
  { replicas }: Totals,
  id: string,
): Pick<Replica, 'succeeded' | 'failed' | 'latencyMs' | 'sessions'> {
  const { counts, latency } = replicas.find(({ name }) => name === id) ?? {
    counts: noReplica(),
    latency: new HdrCounts(),
  };
  return {
    succeeded: counts.succeeded,
    failed: counts.failed,
    latencyMs: summarise(latency),
    sessions: sessionsOf(counts),
  };
}
