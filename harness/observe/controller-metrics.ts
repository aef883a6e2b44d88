import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The values of the metrics, read at each scrape. */
export interface MetricsSource {
  /** The active run; `stage` is -1 outside of stages. */
  run(): CurrentRun | undefined;
  workers(): Readonly<Record<'idle' | 'working' | 'saturated' | 'lost', number>>;
  heartbeatTimeouts(): number;
  telemetryBatches(): number;
  telemetryBytes(): number;
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
  collectDefaultMetrics({ register: registry });
  return { registry, contentType: registry.contentType, text: () => registry.metrics() };
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
