import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { WatchedContainer } from './container-watch.js';
import { METRICS, type MetricDefinition, type MetricName } from './metric-names.js';

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

const READ: Readonly<
  Record<Exclude<MetricName, 'swarmbench_agent_containers'>, (container: WatchedContainer) => readonly Series[]>
> = {
  container_cpu_usage_seconds_total: ({ labels, usage }) => [[labels, usage.cpuSeconds]],
  container_cpu_cfs_throttled_seconds_total: ({ labels, usage }) => [[labels, usage.throttledSeconds]],
  container_memory_working_set_bytes: ({ labels, usage }) => [[labels, usage.memoryBytes]],
  container_spec_memory_limit_bytes: ({ labels, usage }) => [[labels, usage.memoryLimitBytes]],
  container_network_receive_bytes_total: ({ labels, usage }) =>
    Object.entries(usage.networks).map(([name, { receivedBytes }]) => [{ ...labels, interface: name }, receivedBytes]),
  container_network_transmit_bytes_total: ({ labels, usage }) =>
    Object.entries(usage.networks).map(([name, { sentBytes }]) => [{ ...labels, interface: name }, sentBytes]),
  container_processes: ({ labels, usage }) => [[labels, usage.processes]],
};

/** Filled at each scrape from what the watch saw last; containers that ended leave no series behind. */
export function agentMetrics(containers: () => readonly WatchedContainer[]): Registry {
  const registry = new Registry();
  for (const [name, definition] of Object.entries(METRICS) as [MetricName, MetricDefinition][]) {
    const read = (): readonly Series[] =>
      name === 'swarmbench_agent_containers' ? [[{}, containers().length]] : containers().flatMap(READ[name]);
    register(registry, name, definition, read);
  }
  collectDefaultMetrics({ register: registry });
  return registry;
}

function register(
  registry: Registry,
  name: MetricName,
  { kind, help, labels }: MetricDefinition,
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
