import type { DashboardDescription } from './dashboard.js';
import { RATE_INTERVAL as interval, LOAD as load, percentile } from './query-parts.js';

/** What users of the target see. */
export const runDashboard: DashboardDescription = {
  uid: 'swarmbench-run',
  title: 'swarmbench: run',
  description:
    'The load of the run that is on: what was due, what came back, how long it took. Verdicts come from the report, not from here.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Succeeded',
          description: 'Correct answers a second.',
          kind: 'stat',
          unit: 'reqps',
          width: 6,
          queries: [{ expr: 'swarmbench:succeeded:rate1m{stack="$stack"}', legend: 'succeeded' }],
        },
        {
          title: 'p95',
          description: 'Of the last minute, from the moment requests were due.',
          kind: 'stat',
          unit: 's',
          width: 6,
          queries: [{ expr: 'swarmbench:latency_seconds:p95_1m{stack="$stack"}', legend: 'p95' }],
        },
        {
          title: 'Errors',
          description: 'Share of the requests of the last minute that failed.',
          kind: 'stat',
          unit: 'percentunit',
          width: 6,
          queries: [{ expr: 'swarmbench:error_ratio:rate1m{stack="$stack"}', legend: 'errors' }],
        },
        {
          title: 'Sessions',
          description: 'Open MCP sessions of all workers.',
          kind: 'stat',
          unit: 'short',
          width: 6,
          queries: [{ expr: `sum(mcp_client_sessions_active${load})`, legend: 'sessions' }],
        },
      ],
    },
    {
      title: 'Load',
      panels: [
        {
          title: 'Offered and succeeded',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description:
            'A gap between the two is load that the target did not answer, answered wrongly, or answers late.',
          queries: [
            { expr: `sum(rate(mcp_client_offered_total${load}[${interval}]))`, legend: 'offered' },
            {
              expr: `sum(rate(mcp_client_requests_total{stack="$stack", profile=~"$profile", outcome="ok"}[${interval}]))`,
              legend: 'succeeded',
            },
          ],
        },
        {
          title: 'Outcomes that are not ok',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'By category of error, as in the report.',
          queries: [
            {
              expr: `sum by (outcome) (rate(mcp_client_requests_total{stack="$stack", profile=~"$profile", outcome!="ok"}[${interval}]))`,
              legend: '{{outcome}}',
            },
          ],
        },
        {
          title: 'Succeeded by profile and operation',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'Correct answers a second.',
          queries: [
            {
              expr: `sum by (profile, operation) (rate(mcp_client_requests_total{stack="$stack", profile=~"$profile", outcome="ok"}[${interval}]))`,
              legend: '{{profile}} {{operation}}',
            },
          ],
        },
        {
          title: 'Sessions, connections, in flight',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'Of all workers together.',
          queries: [
            { expr: `sum(mcp_client_sessions_active${load})`, legend: 'sessions' },
            { expr: `sum(mcp_client_connections_active${load})`, legend: 'connections' },
            { expr: `sum(mcp_client_in_flight${load})`, legend: 'in flight' },
          ],
        },
      ],
    },
    {
      title: 'Time',
      panels: [
        {
          title: 'Latency',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'From the moment a request was due to its answer: what a user waits.',
          queries: [0.5, 0.95, 0.99].map((share) => percentile(share, 'mcp_client_request_duration_seconds')),
        },
        {
          title: 'Service time',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'From sending to the answer. Where latency is far above it, requests wait for room.',
          queries: [0.5, 0.95, 0.99].map((share) => percentile(share, 'mcp_client_service_duration_seconds')),
        },
        {
          title: 'Opening a session',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'TCP, TLS and MCP handshake.',
          queries: [0.5, 0.95].map((share) => percentile(share, 'mcp_client_connect_duration_seconds')),
        },
        {
          title: 'Messages',
          kind: 'timeseries',
          unit: 'ops',
          width: 12,
          description: 'JSON-RPC messages of every kind.',
          queries: [
            { expr: `sum(rate(mcp_client_messages_sent_total${load}[${interval}]))`, legend: 'sent' },
            { expr: `sum(rate(mcp_client_messages_received_total${load}[${interval}]))`, legend: 'received' },
            { expr: `sum(rate(mcp_client_messages_errors_total${load}[${interval}]))`, legend: 'errors' },
          ],
        },
      ],
    },
  ],
};
