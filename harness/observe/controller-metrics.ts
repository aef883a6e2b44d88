import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The values of the metrics, read at each scrape. */
export interface MetricsSource {
  /** The active run; `stage` is -1 outside of stages. */
  run(): CurrentRun | undefined;
  workers(): Readonly<Record<'idle' | 'working' | 'saturated' | 'lost', number>>;
  heartbeatTimeouts(): number;
  telemetryBatches(): number;
  telemetryBytes(): number;
  /** The swarm around the controller; undefined when there is none. */
  cluster(): ClusterGauges | undefined;
}

/** How the stack and its swarm are. */
export interface ClusterGauges {
  readonly services: readonly { readonly service: string; readonly wanted: number; readonly running: number }[];
  /** Tasks that died since the controller started, by service. */
  readonly deaths: ReadonlyMap<string, number>;
  /** By state: `ready`, `down` ... */
  readonly nodes: ReadonlyMap<string, number>;
}

interface CurrentRun {
  readonly runId: string;
  readonly scenario: string;
  readonly stage: number;
  /** The limit of its threshold on `latency.p95`, if it has one. */
  readonly latencyP95LimitMs: number | undefined;
}

export interface ControllerMetrics {
  /** Holds names, labels and help texts, against which queries can be checked. */
  readonly registry: Registry;
  readonly contentType: string;
  text(): Promise<string>;
}

/** All metrics of the controller. Only `swarmbench_run_info` carries a run id, so a new run adds a single series. */
export function createControllerMetrics(source: MetricsSource): ControllerMetrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'swarmbench_run_info',
    help: 'The active run; always 1.',
    labelNames: ['run', 'scenario'],
    registers,
    collect() {
      this.reset();
      const run = source.run();
      if (run) this.set({ run: run.runId, scenario: run.scenario }, 1);
    },
  });
  new Gauge({
    name: 'swarmbench_run_stage',
    help: 'Index of the running stage; -1 outside of stages.',
    registers,
    collect() {
      this.set(source.run()?.stage ?? -1);
    },
  });
  new Gauge({
    name: 'swarmbench_latency_p95_limit_seconds',
    help: 'Limit of the scenario for the 95th percentile of latency; absent when it has none.',
    registers,
    labelNames: ['scenario'],
    collect() {
      this.reset();
      const run = source.run();
      if (run?.latencyP95LimitMs !== undefined) this.set({ scenario: run.scenario }, run.latencyP95LimitMs / 1000);
    },
  });
  new Gauge({
    name: 'swarmbench_workers',
    help: 'Registered workers by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(source.workers())) this.set({ state }, count);
    },
  });
  counter(
    'swarmbench_heartbeat_timeouts_total',
    'Workers lost because of missed heartbeats.',
    () => source.heartbeatTimeouts(),
    registers,
  );
  counter(
    'swarmbench_telemetry_batches_total',
    'Telemetry batches acknowledged.',
    () => source.telemetryBatches(),
    registers,
  );
  counter(
    'swarmbench_telemetry_bytes_total',
    'Bytes of acknowledged telemetry, as written to disk.',
    () => source.telemetryBytes(),
    registers,
  );
  clusterMetrics(source, registers);
  collectDefaultMetrics({ register: registry });
  return { registry, contentType: registry.contentType, text: () => registry.metrics() };
}

/** Without a swarm they have no series. */
function clusterMetrics(source: MetricsSource, registers: Registry[]): void {
  for (const state of ['wanted', 'running'] as const) {
    new Gauge({
      name: `swarmbench_service_replicas_${state}`,
      help: `Replicas of a service of the stack that ${state === 'wanted' ? 'there should be' : 'run'}.`,
      labelNames: ['of'],
      registers,
      collect() {
        this.reset();
        for (const { service, ...count } of source.cluster()?.services ?? []) this.set({ of: service }, count[state]);
      },
    });
  }
  new Counter({
    name: 'swarmbench_task_deaths_total',
    help: 'Tasks of a service of the stack that ended and should have run on.',
    labelNames: ['of'],
    registers,
    collect() {
      this.reset();
      const { services = [], deaths = new Map<string, number>() } = source.cluster() ?? {};
      // From zero on, so that the first death is an increase.
      for (const { service } of services) this.inc({ of: service }, deaths.get(service) ?? 0);
    },
  });
  new Gauge({
    name: 'swarmbench_nodes',
    help: 'Nodes of the swarm by state, as Swarm knows it.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      const nodes = source.cluster()?.nodes;
      if (nodes === undefined) return;
      this.set({ state: 'down' }, 0);
      for (const [state, count] of nodes) this.set({ state }, count);
    },
  });
}

function counter(name: string, help: string, value: () => number, registers: Registry[]): void {
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}
