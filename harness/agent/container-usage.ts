/** The engine's statistics of one container, reduced to the values that are exported. */
import { z } from 'zod';

/** Counters start with the container. */
export interface ContainerUsage {
  readonly cpuSeconds: number;
  readonly throttledSeconds: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly processes: number;
  readonly networks: Readonly<Record<string, { readonly receivedBytes: number; readonly sentBytes: number }>>;
}

const count = z.number().nonnegative();

// Docker Engine API 1.41 and later, GET /containers/{id}/stats. All of this is missing for a container that has just
// ended.
const stats = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: count }),
    throttling_data: z.object({ throttled_time: count }).optional(),
  }),
  memory_stats: z.object({
    usage: count,
    limit: count.default(0),
    stats: z.object({ total_inactive_file: count.optional(), inactive_file: count.optional() }).default({}),
  }),
  pids_stats: z.object({ current: count.default(0) }).default({ current: 0 }),
  networks: z.record(z.string(), z.object({ rx_bytes: count, tx_bytes: count })).default({}),
});

const NANOSECONDS = 1e9;

/** Undefined for a container that is not running. @param raw one JSON object of the stream */
export function usageOf(raw: unknown): ContainerUsage | undefined {
  const parsed = stats.safeParse(raw);
  if (!parsed.success) return undefined;
  const { cpu_stats: cpu, memory_stats: memory, pids_stats: pids, networks } = parsed.data;
  // As in cAdvisor, the cache of files that were not used lately counts as free memory. cgroup v1, then v2.
  const inactiveFile = memory.stats.total_inactive_file ?? memory.stats.inactive_file ?? 0;
  return {
    cpuSeconds: cpu.cpu_usage.total_usage / NANOSECONDS,
    throttledSeconds: (cpu.throttling_data?.throttled_time ?? 0) / NANOSECONDS,
    memoryBytes: Math.max(0, memory.usage - inactiveFile),
    memoryLimitBytes: memory.limit,
    processes: pids.current,
    networks: Object.fromEntries(
      Object.entries(networks).map(([name, { rx_bytes, tx_bytes }]) => [
        name,
        { receivedBytes: rx_bytes, sentBytes: tx_bytes },
      ]),
    ),
  };
}
