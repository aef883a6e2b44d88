import type { DashboardDescription } from './dashboard.js';
import { LOAD, percentile, rate } from './query-parts.js';

const SUCCEEDED = '{stack="$stack", profile=~"$profile", outcome="ok"}';
const FAILED = '{stack="$stack", profile=~"$profile", outcome!="ok"}';

/** The run as users of the target experience it. */
export const runDashboard: DashboardDescription = {
  uid: 'swarmbench-run',
  title: 'swarmbench: run',
  description:
    'The load of the current run: requests offered, answers, latency. ' +
    'Verdicts come from the report, not from this dashboard.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Succeeded',
          description: 'Correct answers per second.',
          kind: 'stat',
          unit: 'reqps',
          width: 6,
          queries: [{ expr: 'swarmbench:succeeded:rate1m{stack="$stack"}', legend: 'succeeded' }],
        },
        {
          title: 'p95',
          description: 'Latency in the last minute, from the moment requests were due.',
          kind: 'stat',
          unit: 's',
          width: 6,
          queries: [{ expr: 'swarmbench:latency_seconds:p95_1m{stack="$stack"}', legend: 'p95' }],
        },
        {
          title: 'Errors',
          description: 'Share of failed requests in the last minute.',
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
          queries: [{ expr: `sum(mcp_client_sessions_active${LOAD})`, legend: 'sessions' }],
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
            'A gap between the two is load that the target did not answer, answered wrongly, or will answer late.',
          queries: [
            { expr: `sum(${rate('mcp_client_offered_total', LOAD)})`, legend: 'offered' },
            {
              expr: `sum(${rate('mcp_client_requests_total', SUCCEEDED)})`,
              legend: 'succeeded',
            },
          ],
        },
        {
          title: 'Errors by category',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'The categories are those of the report.',
          queries: [
            {
              expr: `sum by (outcome) (${rate('mcp_client_requests_total', FAILED)})`,
              legend: '{{outcome}}',
            },
          ],
        },
        {
          title: 'Succeeded by profile and operation',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'Correct answers per second.',
          queries: [
            {
              expr: `sum by (profile, operation) (${rate('mcp_client_requests_total', SUCCEEDED)})`,
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
            { expr: `sum(mcp_client_sessions_active${LOAD})`, legend: 'sessions' },
            { expr: `sum(mcp_client_connections_active${LOAD})`, legend: 'connections' },
            { expr: `sum(mcp_client_in_flight${LOAD})`, legend: 'in flight' },
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
          description: 'From the moment a request was due to its answer: how long a user waits.',
          queries: [0.5, 0.95, 0.99].map((share) => percentile(share, 'mcp_client_request_duration_seconds')),
        },
        {
          title: 'Service time',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'From sending to the answer. If latency is far above it, requests wait before they are sent.',
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
            { expr: `sum(${rate('mcp_client_messages_sent_total', LOAD)})`, legend: 'sent' },
            { expr: `sum(${rate('mcp_client_messages_received_total', LOAD)})`, legend: 'received' },
            { expr: `sum(${rate('mcp_client_messages_errors_total', LOAD)})`, legend: 'errors' },
          ],
        },
      ],
    },
  ],
};
