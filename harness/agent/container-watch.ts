import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { messageOf } from '../support/error-message.js';

/** The labels of a task's container. `slot` is empty for services that run once on every node. */
export const CONTAINER_LABELS = ['stack', 'service', 'slot', 'node', 'task'] as const;
type ContainerLabels = Readonly<Record<(typeof CONTAINER_LABELS)[number], string>>;

export interface WatchedContainer {
  readonly id: string;
  readonly labels: ContainerLabels;
  readonly usage: ContainerUsage;
  /** When the statistics arrived, ms since the epoch. */
  readonly at: number;
}

interface Followed {
  readonly labels: ContainerLabels;
  readonly stream: Readable;
  latest: { readonly usage: ContainerUsage; readonly at: number } | undefined;
}

interface WatchOptions {
  readonly docker: Docker;
  /** Only tasks of this stack; undefined for all tasks. */
  readonly stack: string | undefined;
  readonly node: string;
  readonly log: (line: string) => void;
}

const SCAN_MS = 2_000;

/**
 * Reads the statistics of the task containers on this node. It keeps one open stream for each container, because a new
 * request for statistics takes the engine a second.
 */
export class ContainerWatch {
  private readonly followed = new Map<string, Followed>();
  private timer: NodeJS.Timeout | undefined;
  private _trouble: string | undefined;
  private closed = false;

  constructor(private readonly options: WatchOptions) {}

  /** Resolves when all running containers are followed. From then on, new ones are found within two seconds. */
  async start(): Promise<void> {
    await this.scan();
  }

  /** Why the engine does not answer at the moment; undefined when it does. */
  get trouble(): string | undefined {
    return this._trouble;
  }

  /** The containers whose first statistics have arrived. */
  containers(): readonly WatchedContainer[] {
    return [...this.followed].flatMap(([id, { labels, latest }]) =>
      latest === undefined ? [] : [{ id, labels, ...latest }],
    );
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const { stream } of this.followed.values()) stream.destroy();
    this.followed.clear();
  }

  private async scan(): Promise<void> {
    try {
      await this.followNewContainers();
      if (this._trouble !== undefined) this.options.log('the engine answers again');
      this._trouble = undefined;
    } catch (error) {
      const trouble = messageOf(error);
      if (this._trouble !== trouble) this.options.log(`the engine does not answer: ${trouble}`);
      this._trouble = trouble;
    }
    if (!this.closed) this.timer = setTimeout(() => void this.scan(), SCAN_MS);
  }

  private async followNewContainers(): Promise<void> {
    const { docker, stack, node } = this.options;
    const label =
      stack === undefined
        ? ['com.docker.swarm.task.id']
        : ['com.docker.swarm.task.id', `com.docker.stack.namespace=${stack}`];
    const running = await docker.listContainers({ filters: { label } });
    await Promise.all(
      running.map(async ({ Id, Labels }) => {
        const labels = taskLabels(Labels, node);
        if (labels !== undefined && !this.followed.has(Id)) await this.follow(Id, labels);
      }),
    );
  }

  private async follow(id: string, labels: ContainerLabels): Promise<void> {
    const stream = (await this.options.docker.getContainer(id).stats({ stream: true })) as Readable;
    if (this.closed) return void stream.destroy();
    const followed: Followed = { labels, stream, latest: undefined };
    this.followed.set(id, followed);
    // The stream ends with the container or with the engine. The next scan finds the containers that still run.
    const ended = (): void => void this.followed.delete(id);
    stream.once('close', ended).once('error', ended);
    createInterface({ input: stream }).on('line', (line) => {
      const usage = usageOf(parseJson(line));
      if (usage !== undefined) followed.latest = { usage, at: Date.now() };
    });
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The engine was cut off in the middle of a line.
    return undefined;
  }
}

/**
 * Our labels of a container, from those that Swarm gives it; undefined when it does not belong to a task.
 * @param node name of this node
 */
export function taskLabels(labels: Readonly<Record<string, string>>, node: string): ContainerLabels | undefined {
  const task = labels['com.docker.swarm.task.id'];
  const fullName = labels['com.docker.swarm.service.name'];
  if (task === undefined || fullName === undefined) return undefined;
  const stack = labels['com.docker.stack.namespace'] ?? '';
  const service = stack !== '' && fullName.startsWith(`${stack}_`) ? fullName.slice(stack.length + 1) : fullName;
  // `SERVICE.SLOT.TASK`, or `SERVICE.NODE.TASK` for a service that runs once on every node.
  const place = labels['com.docker.swarm.task.name']?.slice(fullName.length + 1).split('.')[0] ?? '';
  return { stack, service, slot: /^\d+$/.test(place) ? place : '', node, task };
}

/** The engine's statistics of one container, reduced to the values that are exported. */

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
