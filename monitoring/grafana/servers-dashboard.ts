import type { DashboardDescription } from './dashboard.js';
import { quantile, REPLICA, rate } from './query-parts.js';

const GATEWAY = '{stack="$stack", proxy="servers"}';

/** The target: replicas, their containers, the gateway. */
export const serversDashboard: DashboardDescription = {
  uid: 'swarmbench-servers',
  title: 'swarmbench: servers',
  description: 'The replicas under test, the resources they use, and the gateway in front of them.',
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
            'As each replica counts them. If the lines differ, check the stickiness and the sessions of each.',
          queries: [
            {
              expr: `sum by (slot) (${rate('mcp_server_requests_total', REPLICA)})`,
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
              expr: quantile(0.95, 'slot, le', 'mcp_server_request_duration_seconds', REPLICA),
              legend: 'replica {{slot}}',
            },
          ],
        },
        {
          title: 'Sessions',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description:
            'Open MCP sessions. A line that only rises means a leak, or clients that never end their sessions.',
          queries: [{ expr: `mcp_server_sessions_active${REPLICA}`, legend: 'replica {{slot}}' }],
        },
        {
          title: 'Connections',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'Open TCP connections, most of them from the gateway.',
          queries: [{ expr: `mcp_server_connections_active${REPLICA}`, legend: 'replica {{slot}}' }],
        },
        {
          title: 'Requests by method and outcome',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          description: 'Sum over the chosen replicas.',
          queries: [
            {
              expr: `sum by (method, outcome) (${rate('mcp_server_requests_total', REPLICA)})`,
              legend: '{{method}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Event loop delay, p99',
          kind: 'timeseries',
          unit: 's',
          width: 12,
          description: 'How long one task of the server makes all others wait.',
          queries: [{ expr: `nodejs_eventloop_lag_p99_seconds${REPLICA}`, legend: 'replica {{slot}}' }],
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
              expr: `sum by (service, slot) (${rate('container_cpu_usage_seconds_total', REPLICA)})`,
              legend: '{{service}}.{{slot}}',
            },
          ],
        },
        {
          title: 'Memory',
          kind: 'timeseries',
          unit: 'bytes',
          width: 8,
          description: 'Working set, and the limit if there is one.',
          queries: [
            { expr: `container_memory_working_set_bytes${REPLICA}`, legend: '{{service}}.{{slot}}' },
            { expr: `max(container_spec_memory_limit_bytes${REPLICA})`, legend: 'limit' },
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
              expr: `sum by (slot) (${rate('container_network_receive_bytes_total', REPLICA)})`,
              legend: 'to replica {{slot}}',
            },
            {
              expr: `sum by (slot) (${rate('container_network_transmit_bytes_total', REPLICA)})`,
              legend: 'from replica {{slot}}',
            },
          ],
        },
        {
          title: 'Throttled by the processor limit',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 12,
          description: 'Share of the time. Above zero, latency depends on the limit and not on the program.',
          queries: [
            {
              expr: `sum by (slot) (${rate('container_cpu_cfs_throttled_seconds_total', REPLICA)})`,
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
          queries: [{ expr: `container_processes${REPLICA}`, legend: 'replica {{slot}}' }],
        },
      ],
    },
    {
      title: 'Gateway',
      panels: [
        {
          title: 'Usable replicas',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'According to the health checks of the gateway.',
          queries: [{ expr: `haproxy_backend_active_servers${GATEWAY}`, legend: 'usable' }],
        },
        {
          title: 'Answers by status',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          description: 'The gateway itself answers 503 when it has no replica to send a request to.',
          queries: [
            {
              expr: `sum by (code) (${rate('haproxy_backend_http_responses_total', GATEWAY)})`,
              legend: '{{code}}',
            },
          ],
        },
        {
          title: 'Requests by replica',
          kind: 'timeseries',
          unit: 'reqps',
          width: 8,
          description: 'As the gateway distributes them. Its server numbers are its own, and not slots.',
          queries: [
            {
              expr: `sum by (server) (${rate('haproxy_server_http_responses_total', GATEWAY)})`,
              legend: '{{server}}',
            },
          ],
        },
      ],
    },
  ],
};
