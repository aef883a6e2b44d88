import type { DashboardDescription } from './dashboard.js';
import { quantile, rate } from './query-parts.js';

/** Without loopback and the interfaces of containers. */
const INTERFACES = '{stack="$stack", device!~"lo|veth.*"}';
const WORKERS = '{stack="$stack", service=~"client-sim-.*"}';

/** Shows whether the measurements can be trusted. */
export const benchDashboard: DashboardDescription = {
  uid: 'swarmbench-bench',
  title: 'swarmbench: the bench itself',
  description: 'Workers, harness and nodes. A bench at its limit measures itself instead of the target.',
  rows: [
    {
      title: 'Workers',
      panels: [
        {
          title: 'Workers',
          kind: 'timeseries',
          unit: 'short',
          width: 8,
          description: 'Workers by state, as the harness sees them.',
          queries: [{ expr: 'sum by (state) (swarmbench_workers{stack="$stack"})', legend: '{{state}}' }],
        },
        {
          title: 'Busy share of the event loop',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description:
            'The busiest engine thread of each worker. Above 90 % the worker is saturated and the run is invalid.',
          queries: [{ expr: `mcp_client_event_loop_utilization${WORKERS}`, legend: '{{service}}.{{slot}}' }],
        },
        {
          title: 'Event loop delay, p99',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          description: 'Requests are sent late by up to this much.',
          queries: [{ expr: `mcp_client_event_loop_delay_seconds${WORKERS}`, legend: '{{service}}.{{slot}}' }],
        },
        {
          title: 'Send lag',
          kind: 'timeseries',
          unit: 's',
          width: 8,
          description: 'How long after its due time a request was sent, p99.',
          queries: [
            {
              expr: quantile(0.99, 'service, slot, le', 'mcp_client_send_lag_seconds', WORKERS),
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
              expr: `sum by (service, slot) (${rate('container_cpu_usage_seconds_total', WORKERS)})`,
              legend: '{{service}}.{{slot}}',
            },
          ],
        },
        {
          title: 'Saturated workers',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Share of the workers that are not lost.',
          queries: [
            { expr: 'swarmbench:saturated:ratio{stack="$stack"}', legend: 'saturated' },
            { expr: `avg(mcp_client_saturated${WORKERS})`, legend: 'as they report themselves' },
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
          description: 'Share of one core.',
          queries: [{ expr: rate('process_cpu_seconds_total', '{stack="$stack", job="harness"}'), legend: 'harness' }],
        },
        {
          title: 'Memory',
          kind: 'timeseries',
          unit: 'bytes',
          width: 6,
          description: 'Resident memory.',
          queries: [{ expr: 'process_resident_memory_bytes{stack="$stack", job="harness"}', legend: 'harness' }],
        },
        {
          title: 'Telemetry',
          kind: 'timeseries',
          unit: 'Bps',
          width: 6,
          description: 'Bytes written to disk.',
          queries: [{ expr: rate('swarmbench_telemetry_bytes_total', '{stack="$stack"}'), legend: 'telemetry' }],
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
          description: 'Used memory, without caches that can be dropped.',
          queries: [{ expr: 'swarmbench:node_memory:ratio{stack="$stack"}', legend: '{{node}}' }],
        },
        {
          title: 'Disk',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 8,
          description: 'Used space by file system.',
          queries: [{ expr: 'swarmbench:node_disk:ratio{stack="$stack"}', legend: '{{node}} {{device}}' }],
        },
        {
          title: 'Network',
          kind: 'timeseries',
          unit: 'Bps',
          width: 12,
          description: 'Without loopback and the interfaces of containers.',
          queries: [
            {
              expr: `sum by (node) (${rate('node_network_receive_bytes_total', INTERFACES)})`,
              legend: '{{node}} in',
            },
            {
              expr: `sum by (node) (${rate('node_network_transmit_bytes_total', INTERFACES)})`,
              legend: '{{node}} out',
            },
          ],
        },
        {
          title: 'Scrape targets that answer',
          kind: 'timeseries',
          unit: 'short',
          width: 12,
          description: 'By service, of all programs in the stack.',
          queries: [{ expr: 'sum by (service) (up{stack="$stack"})', legend: '{{service}}' }],
        },
      ],
    },
  ],
};
