import type { DashboardDescription } from './dashboard.js';
import { RATE_INTERVAL as interval, REPLICA as replica } from './query-parts.js';

/** The target's side: replicas, their containers, the gateway. */
export const serversDashboard: DashboardDescription = {
  uid: 'swarmbench-servers',
  title: 'swarmbench: servers',
  description: 'The replicas under test, what they use, and the gateway in front of them.',
  rows: [
    {
      title: 'Replicas',
      panels: [
        {
          title: 'Requests',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description:
            'As each replica counts them. Uneven lines: look at the stickiness, and at how many sessions each has.',
          queries: [
            {
              expr: `sum by (slot) (rate(mcp_server_requests_total${replica}[${interval}]))`,
              legend: 'replica {{slot}}',
            },
          ],
        },
        {
          title: 'Time to answer, p95',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'Inside the server: from a request being read to its answer being written.',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (slot, le) (rate(mcp_server_request_duration_seconds_bucket${replica}[${interval}])))`,
              legend: 'replica {{slot}}',
            },
          ],
        },
        {
          title: 'Sessions',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'Open MCP sessions. A line that only rises is a leak, or clients that never say goodbye.',
          queries: [{ expr: `mcp_server_sessions_active${replica}`, legend: 'replica {{slot}}' }],
        },
        {
          title: 'Connections',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'Open TCP connections, most of them from the gateway.',
          queries: [{ expr: `mcp_server_connections_active${replica}`, legend: 'replica {{slot}}' }],
        },
        {
          title: 'Requests by method and outcome',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'Of the chosen replicas together.',
          queries: [
            {
              expr: `sum by (method, outcome) (rate(mcp_server_requests_total${replica}[${interval}]))`,
              legend: '{{method}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Event loop delay, p99',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'How long the server is busy with one thing while all others wait.',
          queries: [{ expr: `nodejs_eventloop_lag_p99_seconds${replica}`, legend: 'replica {{slot}}' }],
        },
      ],
    },
    {
      title: 'Containers',
      panels: [
        {
          title: 'Processor',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'Cores in use.',
          queries: [
            {
              expr: `sum by (service, slot) (rate(container_cpu_usage_seconds_total${replica}[${interval}]))`,
              legend: '{{service}}.{{slot}}',
            },
          ],
        },
        {
          title: 'Memory',
          kind: 'timeseries',
          unit: 'bytes',
          width: 8,
          description: 'Working set, and the limit where there is one.',
          queries: [
            { expr: `container_memory_working_set_bytes${replica}`, legend: '{{service}}.{{slot}}' },
            { expr: `max(container_spec_memory_limit_bytes${replica})`, legend: 'limit' },
          ],
        },
        {
          title: 'Network',
          kind: 'timeseries',
          unit: 'Bps',
          width: 8,
          description: 'All interfaces.',
          queries: [
            {
              expr: `sum by (slot) (rate(container_network_receive_bytes_total${replica}[${interval}]))`,
              legend: 'to replica {{slot}}',
            },
            {
              expr: `sum by (slot) (rate(container_network_transmit_bytes_total${replica}[${interval}]))`,
              legend: 'from replica {{slot}}',
            },
          ],
        },
        {
          title: 'Held back by the processor limit',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 12,
          description: 'Share of the time. Above zero the limit, not the program, decides the latency.',
          queries: [
            {
              expr: `sum by (slot) (rate(container_cpu_cfs_throttled_seconds_total${replica}[${interval}]))`,
              legend: 'replica {{slot}}',
            },
          ],
        },
        {
          title: 'Processes and threads',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'In each container.',
          queries: [{ expr: `container_processes${replica}`, legend: 'replica {{slot}}' }],
        },
      ],
    },
    {
      title: 'Gateway',
      panels: [
        {
          title: 'Replicas it can use',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'By its own health checks.',
          queries: [{ expr: 'haproxy_backend_active_servers{stack="$stack", proxy="servers"}', legend: 'usable' }],
        },
        {
          title: 'Answers by status',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          description: '503 is its own: no replica to send to.',
          queries: [
            {
              expr: `sum by (code) (rate(haproxy_backend_http_responses_total{stack="$stack", proxy="servers"}[${interval}]))`,
              legend: '{{code}}',
            },
          ],
        },
        {
          title: 'Requests by replica',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          description: 'As the gateway spreads them; its server numbers are places of its own, not slots.',
          queries: [
            {
              expr: `sum by (server) (rate(haproxy_server_http_responses_total{stack="$stack", proxy="servers"}[${interval}]))`,
              legend: '{{server}}',
            },
          ],
        },
      ],
    },
  ],
};
