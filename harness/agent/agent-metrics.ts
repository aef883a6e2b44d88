import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { CONTAINER_LABELS } from './container-labels.js';
import type { WatchedContainer } from './container-watch.js';

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

interface ContainerMetric extends Metric {
  readonly read: (container: WatchedContainer) => readonly Series[];
}

/** Names and meanings are those of cAdvisor, so that dashboards made for it work. */
const CONTAINER_METRICS: Readonly<Record<string, ContainerMetric>> = {
  container_cpu_usage_seconds_total: {
    kind: 'counter',
    help: 'CPU time used on all cores.',
    labels: CONTAINER_LABELS,
    read: ({ labels, usage }) => [[labels, usage.cpuSeconds]],
  },
  container_cpu_cfs_throttled_seconds_total: {
    kind: 'counter',
    help: 'Time during which processes were throttled by the CPU limit.',
    labels: CONTAINER_LABELS,
    read: ({ labels, usage }) => [[labels, usage.throttledSeconds]],
  },
  container_memory_working_set_bytes: {
    kind: 'gauge',
    help: 'Memory used, without the file cache that can be dropped.',
    labels: CONTAINER_LABELS,
    read: ({ labels, usage }) => [[labels, usage.memoryBytes]],
  },
  container_spec_memory_limit_bytes: {
    kind: 'gauge',
    help: 'Memory limit of the container, or the memory of the node when it has none.',
    labels: CONTAINER_LABELS,
    read: ({ labels, usage }) => [[labels, usage.memoryLimitBytes]],
  },
  container_network_receive_bytes_total: {
    kind: 'counter',
    help: 'Bytes received.',
    labels: [...CONTAINER_LABELS, 'interface'],
    read: ({ labels, usage }) =>
      Object.entries(usage.networks).map(([name, { receivedBytes }]) => [
        { ...labels, interface: name },
        receivedBytes,
      ]),
  },
  container_network_transmit_bytes_total: {
    kind: 'counter',
    help: 'Bytes sent.',
    labels: [...CONTAINER_LABELS, 'interface'],
    read: ({ labels, usage }) =>
      Object.entries(usage.networks).map(([name, { sentBytes }]) => [{ ...labels, interface: name }, sentBytes]),
  },
  container_processes: {
    kind: 'gauge',
    help: 'Processes and threads.',
    labels: CONTAINER_LABELS,
    read: ({ labels, usage }) => [[labels, usage.processes]],
  },
};

/** Filled at each scrape with the latest statistics. Containers that have ended leave no series behind. */
export function agentMetrics(containers: () => readonly WatchedContainer[]): Registry {
  const registry = new Registry();
  for (const [name, metric] of Object.entries(CONTAINER_METRICS))
    register(registry, name, metric, () => containers().flatMap(metric.read));
  register(
    registry,
    'swarmbench_agent_containers',
    { kind: 'gauge', help: 'Task containers whose statistics this agent reads.', labels: [] },
    () => [[{}, containers().length]],
  );
  collectDefaultMetrics({ register: registry });
  return registry;
}

function register(
  registry: Registry,
  name: string,
  { kind, help, labels }: Metric,
  read: () => readonly Series[],
): void {
  const about = { name, help, labelNames: [...labels], registers: [registry] };
  if (kind === 'gauge') {
    new Gauge({
      ...about,
      collect() {
        this.reset();
        for (const [series, value] of read()) this.set(series, value);
      },
    });
  } else {
    new Counter({
      ...about,
      collect() {
        this.reset();
        for (const [series, value] of read()) this.inc(series, value);
      },
    });
  }
}
