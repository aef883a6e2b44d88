import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../mcp/outcome.js';

const labelNames = ['method', 'outcome'] as const;
type Labels = (typeof labelNames)[number];

/** The Prometheus metrics of the reference server; they are named nowhere else. */
export class Metrics {
  readonly registry = new Registry();
  private readonly requests: Counter<Labels>;
  private readonly durations: Histogram<Labels>;
  /** Metrics bound to their labels: looking labels up for every request costs twice what counting does. */
  private readonly bound = new Map<
    string,
    { readonly requests: Counter.Internal; readonly durations: Histogram.Internal<Labels> }
  >();

  constructor(activeSessions: () => number, activeConnections: () => number) {
    const registers = [this.registry];
    this.requests = new Counter({
      name: 'mcp_server_requests_total',
      help: 'MCP requests whose exchange has ended, by JSON-RPC method (or HTTP method) and outcome.',
      labelNames,
      registers,
    });
    this.durations = new Histogram({
      name: 'mcp_server_request_duration_seconds',
      help: 'From the request being read to its answer being written to the last byte.',
      labelNames,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    });
    gauge('mcp_server_sessions_active', 'MCP sessions open now.', activeSessions, registers);
    gauge('mcp_server_connections_active', 'TCP connections open now.', activeConnections, registers);
    collectDefaultMetrics({ register: this.registry });
  }

  exchangeEnded(method: string, outcome: Outcome, durationMs: number): void {
    const key = `${method} ${outcome}`;
    let bound = this.bound.get(key);
    if (bound === undefined) {
      const labels = { method, outcome };
      bound = { requests: this.requests.labels(labels), durations: this.durations.labels(labels) };
      this.bound.set(key, bound);
    }
    bound.requests.inc();
    bound.durations.observe(durationMs / 1000);
  }
}

function gauge(name: string, help: string, read: () => number, registers: Registry[]): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}
