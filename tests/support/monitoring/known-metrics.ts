/**
 * Every metric of the stack that a query may name: those of our programs, from their registries, and those of other
 * programs that we use.
 */
import type { Registry } from 'prom-client';
import { METRICS as CLIENT_METRICS } from '../../../client-sim/measure/metric-names.js';
import { agentMetrics } from '../../../harness/agent/agent-metrics.js';
import { createControllerMetrics } from '../../../harness/observe/controller-metrics.js';
import { Metrics as ServerMetrics } from '../../../swarm/reference-server/observe/metrics.js';

/** Name of a series (with `_bucket` and so on) to the labels that its program gives it. */
type KnownMetrics = ReadonlyMap<string, readonly string[]>;

/** Prometheus adds these to every series of a task (monitoring/prometheus/prometheus.yml). */
export const TARGET_LABELS = ['job', 'instance', 'stack', 'service', 'slot', 'node', 'task'] as const;

/** Metrics of HAProxy's exporter, node-exporter and Prometheus itself, as far as we use them. */
const THIRD_PARTY = {
  up: [],
  haproxy_backend_active_servers: ['proxy'],
  haproxy_backend_current_sessions: ['proxy'],
  haproxy_backend_http_responses_total: ['proxy', 'code'],
  haproxy_server_status: ['proxy', 'server', 'state'],
  haproxy_server_http_responses_total: ['proxy', 'server', 'code'],
  haproxy_server_current_sessions: ['proxy', 'server'],
  node_cpu_seconds_total: ['cpu', 'mode'],
  node_memory_MemAvailable_bytes: [],
  node_memory_MemTotal_bytes: [],
  node_filesystem_avail_bytes: ['device', 'fstype', 'mountpoint'],
  node_filesystem_size_bytes: ['device', 'fstype', 'mountpoint'],
  node_network_receive_bytes_total: ['device'],
  node_network_transmit_bytes_total: ['device'],
} as const satisfies Record<string, readonly string[]>;

const HISTOGRAM_SERIES = ['_bucket', '_sum', '_count'] as const;

export async function knownMetrics(): Promise<KnownMetrics> {
  const own = Object.entries(CLIENT_METRICS).map(([name, { kind, labels }]) => ({ name, kind, labels }));
  const registered = await Promise.all(
    [
      new ServerMetrics(
        () => 0,
        () => 0,
      ).registry,
      agentMetrics(() => []),
      harnessRegistry(),
    ].map(described),
  );
  const all = [...own, ...registered.flat()].flatMap(({ name, kind, labels }) =>
    kind === 'histogram'
      ? HISTOGRAM_SERIES.map((ending) => [name + ending, ending === '_bucket' ? [...labels, 'le'] : labels] as const)
      : [[name, labels] as const],
  );
  return new Map<string, readonly string[]>([...all, ...Object.entries(THIRD_PARTY)]);
}

interface Described {
  readonly name: string;
  readonly kind: string;
  readonly labels: readonly string[];
}

/** prom-client keeps the label names on the metric, but has the type only in the JSON. */
async function described(registry: Registry): Promise<readonly Described[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, type }) => {
    const { labelNames = [] } = registry.getSingleMetric(name) as { readonly labelNames?: readonly string[] };
    return { name, kind: String(type), labels: labelNames };
  });
}

function harnessRegistry(): Registry {
  const nothing = (): number => 0;
  return createControllerMetrics({
    run: () => undefined,
    workers: () => ({ idle: 0, working: 0, saturated: 0, lost: 0 }),
    heartbeatTimeouts: nothing,
    telemetryBatches: nothing,
    telemetryBytes: nothing,
    cluster: () => undefined,
  }).registry;
}
