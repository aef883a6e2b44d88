/** Every metric of this program. Names and meanings are cAdvisor's, so that dashboards made for it work. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Whose container it is; `slot` is empty for services that run once on every node. */
const CONTAINER_LABELS = ['stack', 'service', 'slot', 'node', 'task'] as const;

export type ContainerLabels = Readonly<Record<(typeof CONTAINER_LABELS)[number], string>>;

export const METRICS = {
  container_cpu_usage_seconds_total: {
    kind: 'counter',
    help: 'Processor time used, in all cores.',
    labels: CONTAINER_LABELS,
  },
  container_cpu_cfs_throttled_seconds_total: {
    kind: 'counter',
    help: 'Time its processes waited because its CPU limit was used up.',
    labels: CONTAINER_LABELS,
  },
  container_memory_working_set_bytes: {
    kind: 'gauge',
    help: 'Memory used, without file cache that can be dropped.',
    labels: CONTAINER_LABELS,
  },
  container_spec_memory_limit_bytes: {
    kind: 'gauge',
    help: 'Its memory limit; the memory of the node where it has none.',
    labels: CONTAINER_LABELS,
  },
  container_network_receive_bytes_total: {
    kind: 'counter',
    help: 'Bytes received.',
    labels: [...CONTAINER_LABELS, 'interface'],
  },
  container_network_transmit_bytes_total: {
    kind: 'counter',
    help: 'Bytes sent.',
    labels: [...CONTAINER_LABELS, 'interface'],
  },
  container_processes: { kind: 'gauge', help: 'Processes and threads.', labels: CONTAINER_LABELS },
  swarmbench_agent_containers: {
    kind: 'gauge',
    help: 'Containers of tasks whose statistics this agent follows.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
