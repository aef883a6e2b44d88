import type { DashboardDescription } from './dashboard.js';
import { RATE_INTERVAL as interval } from './query-parts.js';

const workers = '{stack="$stack", service=~"client-sim-.*"}';

/** Whether the measuring itself can be trusted. */
export const benchDashboard: DashboardDescription = {
  uid: 'swarmbench-bench',
  title: 'swarmbench: the bench itself',
  description: 'Workers, harness, nodes: a bench at its limit measures itself.',
  rows: [
    {
      title: 'Workers',
      panels: [
        {
          title: 'Workers',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'As the harness sees them.',
          queries: [{ expr: 'sum by (state) (swarmbench_workers{stack="$stack"})', legend: '{{state}}' }],
        },
        {
          title: 'Busy share of the event loop',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Of the busiest engine thread. Above 90 % a worker is saturated, and the run invalid.',
          queries: [{ expr: `mcp_client_event_loop_utilization${workers}`, legend: '{{service}}.{{slot}}' }],
        },
        {
          title: 'Event loop delay, p99',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          description: 'Requests leave late by this much.',
          queries: [{ expr: `mcp_client_event_loop_delay_seconds${workers}`, legend: '{{service}}.{{slot}}' }],
        },
        {
          title: 'Send lag',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          description: 'How long after they were due requests were sent, p99.',
          queries: [
            {
              expr: `histogram_quantile(0.99, sum by (service, slot, le) (rate(mcp_client_send_lag_seconds_bucket${workers}[${interval}])))`,
              legend: '{{service}}.{{slot}}',
            },
          ],
        },
        {
          title: 'Processor of workers',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'Cores in use.',
          queries: [
            {
              expr: `sum by (service, slot) (rate(container_cpu_usage_seconds_total${workers}[${interval}]))`,
              legend: '{{service}}.{{slot}}',
            },
          ],
        },
        {
          title: 'Saturated workers',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Share of those that are not lost.',
          queries: [
            { expr: 'swarmbench:saturated:ratio{stack="$stack"}', legend: 'saturated' },
            { expr: `avg(mcp_client_saturated${workers})`, legend: 'as they say themselves' },
          ],
        },
      ],
    },
    {
      title: 'Harness',
      panels: [
        {
          title: 'Processor',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 6,
          description: 'Of one core.',
          queries: [
            { expr: `rate(process_cpu_seconds_total{stack="$stack", job="harness"}[${interval}])`, legend: 'harness' },
          ],
        },
        {
          title: 'Memory',
          kind: 'timeseries',
          unit: 'bytes',
          width: 6,
          description: 'Resident.',
          queries: [{ expr: 'process_resident_memory_bytes{stack="$stack", job="harness"}', legend: 'harness' }],
        },
        {
          title: 'Telemetry',
          kind: 'timeseries',
          unit: 'Bps',
          width: 6,
          description: 'As written to disk.',
          queries: [
            { expr: `rate(swarmbench_telemetry_bytes_total{stack="$stack"}[${interval}])`, legend: 'telemetry' },
          ],
        },
        {
          title: 'Stage',
          kind: 'timeseries',
          unit: 'short',
          width: 6,
          description: 'Number of the running stage, from 0; -1 outside of stages.',
          queries: [{ expr: 'swarmbench_run_stage{stack="$stack"}', legend: 'stage' }],
        },
      ],
    },
    {
      title: 'Nodes',
      panels: [
        {
          title: 'Processor',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Busy share of all cores of each node.',
          queries: [{ expr: 'swarmbench:node_cpu:ratio1m{stack="$stack"}', legend: '{{node}}' }],
        },
        {
          title: 'Memory',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Used, without what can be dropped.',
          queries: [{ expr: 'swarmbench:node_memory:ratio{stack="$stack"}', legend: '{{node}}' }],
        },
        {
          title: 'Disk',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Used, by file system.',
          queries: [{ expr: 'swarmbench:node_disk:ratio{stack="$stack"}', legend: '{{node}} {{mountpoint}}' }],
        },
        {
          title: 'Network',
          kind: 'timeseries',
          unit: 'Bps',
          width: 12,
          description: "Without loopback and the containers' own ends.",
          queries: [
            {
              expr: `sum by (node) (rate(node_network_receive_bytes_total{stack="$stack", device!~"lo|veth.*"}[${interval}]))`,
              legend: '{{node}} in',
            },
            {
              expr: `sum by (node) (rate(node_network_transmit_bytes_total{stack="$stack", device!~"lo|veth.*"}[${interval}]))`,
              legend: '{{node}} out',
            },
          ],
        },
        {
          title: 'Scrape targets that answer',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'Of all programs of the stack.',
          queries: [{ expr: 'sum by (service) (up{stack="$stack"})', legend: '{{service}}' }],
        },
      ],
    },
  ],
};
