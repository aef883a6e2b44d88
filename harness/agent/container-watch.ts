import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { messageOf } from '../support/error-message.js';
import { type ContainerEvent, EVENTS, eventOf } from './container-events.js';
import { type ContainerLabels, taskLabels } from './container-labels.js';

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
/** Callers ask every second or two, and may have been away for a moment. */
const KEEP_EVENTS_MS = 60_000;
const MOST_EVENTS = 1_000;

/**
 * Reads the statistics of the task containers on this node. It keeps one open stream for each container, because a new
 * request for statistics takes the engine a second.
 */
export class ContainerWatch {
  private readonly followed = new Map<string, Followed>();
  private readonly recent: ContainerEvent[] = [];
  private eventStream: Readable | undefined;
  private timer: NodeJS.Timeout | undefined;
  private _trouble: string | undefined;
  private closed = false;

  constructor(private readonly options: WatchOptions) {}

  /** Resolves when all running containers are followed. From then on, new ones are found within two seconds. */
  async start(): Promise<void> {
    await this.scan();
  }

  /** What happened to containers of the last minute, oldest first. */
  events(): readonly ContainerEvent[] {
    const since = Date.now() - KEEP_EVENTS_MS;
    return this.recent.filter(({ at }) => at >= since);
  }

  /** Why the engine does not answer at the moment; undefined when it does. */
  get trouble(): string | undefined {
    return this._trouble;
  }

  get node(): string {
    return this.options.node;
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
    this.eventStream?.destroy();
  }

  private async scan(): Promise<void> {
    try {
      await this.followEvents();
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

  private get filter(): readonly string[] {
    const { stack } = this.options;
    return ['com.docker.swarm.task.id', ...(stack === undefined ? [] : [`com.docker.stack.namespace=${stack}`])];
  }

  private async followNewContainers(): Promise<void> {
    const running = await this.options.docker.listContainers({ filters: { label: [...this.filter] } });
    const alive = new Set(running.map(({ Id }) => Id));
    for (const id of this.followed.keys()) if (!alive.has(id)) this.forget(id);
    await Promise.all(
      running.map(async ({ Id, Labels }) => {
        const labels = taskLabels(Labels, this.options.node);
        if (labels !== undefined && !this.followed.has(Id)) await this.follow(Id, labels);
      }),
    );
  }

  /** One stream for as long as the engine lives; the next scan after its end opens another. */
  private async followEvents(): Promise<void> {
    if (this.eventStream !== undefined) return;
    const filters = { type: ['container' as const], event: [...EVENTS], label: [...this.filter] };
    const stream = (await this.options.docker.getEvents({ filters })) as unknown as Readable;
    if (this.closed) return void stream.destroy();
    this.eventStream = stream;
    const ended = (): void => void (this.eventStream = undefined);
    stream.once('close', ended).once('error', ended);
    createInterface({ input: stream }).on('line', (line) => {
      const event = eventOf(parseJson(line), this.options.node);
      if (event === undefined) return;
      if (event.action === 'die') this.forget(event.container);
      this.recent.push(event);
      if (this.recent.length > MOST_EVENTS) this.recent.shift();
    });
  }

  /** The statistics of a container that was killed may go on, without values, for as long as it is there. */
  private forget(id: string): void {
    this.followed.get(id)?.stream.destroy();
    this.followed.delete(id);
  }

  private async follow(id: string, labels: ContainerLabels): Promise<void> {
    const stream = (await this.options.docker.getContainer(id).stats({ stream: true })) as Readable;
    if (this.closed) return void stream.destroy();
    const followed: Followed = { labels, stream, latest: undefined };
    this.followed.set(id, followed);
    // The stream ends with the engine, and mostly with the container. The next scan finds those that still run.
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
