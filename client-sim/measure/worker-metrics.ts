import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import type { Health } from '../protocol/messages.js';
import type { Batch } from './batch.js';
import { BUCKETS, METRICS, type MetricDefinition, type MetricName } from './metric-names.js';
import { PrometheusHistogram } from './prometheus-histogram.js';
import { CONNECT, HISTOGRAMS_PER_SERIES, LAG, LATENCY, SERVICE } from './series.js';

type Labels = Readonly<Record<string, string>>;

/** The Prometheus metrics of this worker, updated with each batch and each health sample. */
export class WorkerMetrics {
  readonly registry = new Registry();
  private readonly counters = new Map<MetricName, Counter>();
  private readonly gauges = new Map<MetricName, Gauge>();
  private readonly histograms = new Map<MetricName, PrometheusHistogram>();

  constructor() {
    for (const [name, definition] of Object.entries(METRICS) as [MetricName, MetricDefinition][])
      this.register(name, definition);
  }

  observe(batch: Batch, plan: WorkerPlan): void {
    for (const [series, { counts, errors }] of batch.series) {
      const { profile, operation } = batch.layout.place(series);
      const labels = {
        profile: plan.profiles[profile]?.name ?? '',
        operation: plan.profiles[profile]?.operations[operation]?.name ?? '',
      };
      this.count('mcp_client_offered_total', labels, counts.offered);
      this.count('mcp_client_dropped_total', labels, counts.dropped);
      this.count('mcp_client_requests_total', { ...labels, outcome: 'ok' }, counts.succeeded);
      for (const [category, count] of Object.entries(errors)) {
        this.count('mcp_client_requests_total', { ...labels, outcome: category }, count);
        this.count('mcp_client_messages_errors_total', { profile: labels.profile, category }, count);
      }
      this.time('mcp_client_request_duration_seconds', labels, batch, series * HISTOGRAMS_PER_SERIES + LATENCY);
      this.time('mcp_client_service_duration_seconds', labels, batch, series * HISTOGRAMS_PER_SERIES + SERVICE);
      this.time('mcp_client_send_lag_seconds', labels, batch, series * HISTOGRAMS_PER_SERIES + LAG);
    }
    this.observeSessions(batch, plan);
  }

  observeHealth(health: Health): void {
    this.set('mcp_client_event_loop_utilization', {}, health.eventLoopUtilization);
    this.set('mcp_client_event_loop_delay_seconds', {}, health.eventLoopDelayP99Ms / 1000);
    this.set('mcp_client_saturated', {}, health.saturated ? 1 : 0);
  }

  private observeSessions(batch: Batch, plan: WorkerPlan): void {
    const nameOf = (profile: number): Labels & { readonly profile: string } => ({
      profile: plan.profiles[profile]?.name ?? '',
    });
    for (const [group, row] of batch.sessions) {
      const labels = nameOf(batch.layout.groupPlace(group).profile);
      this.count('mcp_client_messages_sent_total', labels, row.messagesSent);
      this.count('mcp_client_messages_received_total', labels, row.messagesReceived);
      for (const [category, count] of Object.entries(row.connectFailures)) {
        this.count('mcp_client_messages_errors_total', { ...labels, category }, count);
      }
      this.time('mcp_client_connect_duration_seconds', labels, batch, batch.layout.groupHistogram(group, CONNECT));
    }
    plan.profiles.forEach((_, profile) => {
      const rows = batch.gauges.filter((gauges) => gauges.profile === profile);
      const sum = (gauge: 'connections' | 'sessions' | 'inFlight'): number =>
        rows.reduce((total, row) => total + row[gauge], 0);
      this.set('mcp_client_connections_active', nameOf(profile), sum('connections'));
      this.set('mcp_client_sessions_active', nameOf(profile), sum('sessions'));
      this.set('mcp_client_in_flight', nameOf(profile), sum('inFlight'));
    });
  }

  private count(name: MetricName, labels: Labels, by: number): void {
    if (by > 0) this.counters.get(name)?.inc(labels, by);
  }

  private set(name: MetricName, labels: Labels, value: number): void {
    this.gauges.get(name)?.set(labels, value);
  }

  private time(name: MetricName, labels: Labels, batch: Batch, histogram: number): void {
    const cells = batch.cells.get(histogram);
    if (cells !== undefined) this.histograms.get(name)?.add(labels, cells);
  }

  private register(name: MetricName, { kind, help, labels }: MetricDefinition): void {
    const about = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (kind === 'counter') this.counters.set(name, new Counter(about));
    else if (kind === 'gauge') this.gauges.set(name, new Gauge(about));
    else {
      const histogram = new PrometheusHistogram(name, help, labels, BUCKETS);
      this.registry.registerMetric(histogram);
      this.histograms.set(name, histogram);
    }
  }
}
