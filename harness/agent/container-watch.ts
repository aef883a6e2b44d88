import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type ContainerUsage, usageOf } from './container-usage.js';
import type { ContainerLabels } from './metric-names.js';

/**
 * Follows the containers of tasks on this node: one open stream of statistics for each, as asking anew takes the engine
 * a second each time.
 */

export interface WatchedContainer {
  readonly id: string;
  readonly labels: ContainerLabels;
  readonly usage: ContainerUsage;
  /** When the statistics came, ms since the epoch. */
  readonly at: number;
}

interface Followed {
  readonly labels: ContainerLabels;
  readonly stream: Readable;
  latest: { readonly usage: ContainerUsage; readonly at: number } | undefined;
}

interface WatchOptions {
  readonly docker: Docker;
  /** Only tasks of this stack; undefined: of all. */
  readonly stack: string | undefined;
  readonly node: string;
  readonly log: (line: string) => void;
}

const LOOK_MS = 2_000;

export class ContainerWatch {
  private readonly followed = new Map<string, Followed>();
  private timer: NodeJS.Timeout | undefined;
  private _trouble: string | undefined;
  private closed = false;

  constructor(private readonly options: WatchOptions) {}

  /** Resolves when the containers that run now are followed. From then on new ones are found within two seconds. */
  async start(): Promise<void> {
    await this.look();
  }

  /** Why the engine does not answer, at the moment. */
  get trouble(): string | undefined {
    return this._trouble;
  }

  /** Those whose first statistics have come. */
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

  private async look(): Promise<void> {
    try {
      await this.followNewOnes();
      if (this._trouble !== undefined) this.options.log('the engine answers again');
      this._trouble = undefined;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (this._trouble !== trouble) this.options.log(`the engine does not answer: ${trouble}`);
      this._trouble = trouble;
    }
    if (!this.closed) this.timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  private async followNewOnes(): Promise<void> {
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
    // It ends with the container, or with the engine; whoever still runs is found at the next look.
    const over = (): void => void this.followed.delete(id);
    stream.once('close', over).once('error', over);
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
    // The engine was cut off in mid-line.
    return undefined;
  }
}

/**
 * Whose container it is, from the labels that Swarm gives it; undefined for one that is no task. @param node name of
 * this node
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
