export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Upper bounds in seconds. */
export const BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

const operation = ['profile', 'operation'] as const;

/** All metrics of a worker. Dashboards and docs are checked against this list. */
export const METRICS = {
  mcp_client_offered_total: { kind: 'counter', help: 'Operations that became due.', labels: operation },
  mcp_client_requests_total: {
    kind: 'counter',
    help: 'Operations that ended, by outcome: ok or an error category.',
    labels: [...operation, 'outcome'],
  },
  mcp_client_dropped_total: {
    kind: 'counter',
    help: 'Operations that waited for room until their stage ended.',
    labels: operation,
  },
  mcp_client_request_duration_seconds: {
    kind: 'histogram',
    help: 'Successful operations, from the moment they were due to their answer.',
    labels: operation,
  },
  mcp_client_service_duration_seconds: {
    kind: 'histogram',
    help: 'Successful operations, from sending to their answer.',
    labels: operation,
  },
  mcp_client_send_lag_seconds: {
    kind: 'histogram',
    help: 'How long after they were due operations were sent.',
    labels: operation,
  },
  mcp_client_connect_duration_seconds: {
    kind: 'histogram',
    help: 'Opening a session: TCP, TLS and MCP handshake.',
    labels: ['profile'],
  },
  mcp_client_messages_sent_total: {
    kind: 'counter',
    help: 'JSON-RPC messages sent, of every kind.',
    labels: ['profile'],
  },
  mcp_client_messages_received_total: {
    kind: 'counter',
    help: 'JSON-RPC messages received, of every kind.',
    labels: ['profile'],
  },
  mcp_client_messages_errors_total: {
    kind: 'counter',
    help: 'Operations that failed and sessions that could not be opened, by category.',
    labels: ['profile', 'category'],
  },
  mcp_client_connections_active: { kind: 'gauge', help: 'Open TCP connections.', labels: ['profile'] },
  mcp_client_sessions_active: {
    kind: 'gauge',
    help: 'Open MCP sessions (stateless era: sets of connections).',
    labels: ['profile'],
  },
  mcp_client_in_flight: { kind: 'gauge', help: 'Operations on the wire.', labels: ['profile'] },
  mcp_client_event_loop_utilization: {
    kind: 'gauge',
    help: 'Busy share of the busiest engine thread, 0 to 1.',
    labels: [],
  },
  mcp_client_event_loop_delay_seconds: {
    kind: 'gauge',
    help: '99th percentile of the event loop delay of the slowest engine thread.',
    labels: [],
  },
  mcp_client_saturated: { kind: 'gauge', help: '1 while this worker is at its limit.', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
