/**
 * Watches a stack: its services, tasks and nodes through the manager, the containers of each node through the agents,
 * and the servers of the gateway. Runs ask it what has happened, and the metrics of the harness how things are.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { News, Notice, Replica } from '../../platform.js';
import type { SwarmNode, Task } from '../engine/answers.js';
import { type AgentReport, askAgent, type ContainerEvent, type ContainerReading } from '../run-on-stack/agents.js';
import { GATEWAY, gatewayStatistics } from '../run-on-stack/gateway.js';
import { addressOf, runningTasks } from '../run-on-stack/running-tasks.js';
import { replicasOfService, TARGET } from '../run-on-stack/target.js';
import { labelOf, type Stack, servicesOf } from '../stack/stack-objects.js';
import { changesBetween, replicaCounts, type ServiceCount, type StackView, taskName } from './changes.js';
import { gatewayServers, type ServerStates, serverChanges, serverStates } from './gateway-servers.js';

const AGENT = 'agent';
/** While a run asks. */
const LOOK_MS = 1_000;
/** For the metrics alone. */
const IDLE_LOOK_MS = 5_000;
const LOOK_LIMIT_MS = 5_000;
/** An agent that misses this many looks in a row is silent: one look can be late on a busy node. */
const SILENT_LOOKS = 3;

interface WatchOptions {
  readonly stack: Stack;
  /** The agents require it. */
  readonly apiToken: string | undefined;
}

/** What the watch of one run has to tell; each caller has its own. */
export interface Watching {
  news(): Promise<News>;
  /** Statistics of all containers, as the agents reported them last. */
  readings(): readonly ContainerReading[];
  end(): void;
}

export interface StackGauges {
  readonly services: readonly ServiceCount[];
  /** Tasks of each service that have died since this watch began. */
  readonly deaths: ReadonlyMap<string, number>;
  /** By state, as Swarm knows it: `ready`, `down` ... */
  readonly nodes: ReadonlyMap<string, number>;
}

interface Listener {
  /** Epoch ms. */
  readonly sinceMs: number;
  readonly notices: Notice[];
  replicas: readonly Replica[] | undefined;
}

export class StackWatch {
  private readonly listeners = new Set<Listener>();
  private readonly seenEvents = new Set<string>();
  private readonly deaths = new Map<string, number>();
  private readonly missed = new Map<string, number>();
  private readonly addresses = new Map<string, string>();
  private view: StackView | undefined;
  private servers: ServerStates | undefined;
  private latest: readonly ContainerReading[] = [];
  private tasksKey = '';
  private wake = new AbortController();
  private looking: Promise<void> = Promise.resolve();
  private running = false;

  constructor(private readonly options: WatchOptions) {}

  /** Looks again and again until the signal is aborted. Errors are passed over: the next look may succeed. */
  async run(signal: AbortSignal): Promise<void> {
    this.running = true;
    while (!signal.aborted) {
      await this.look(signal).catch(() => undefined);
      this.wake = new AbortController();
      await sleep(this.listeners.size > 0 ? LOOK_MS : IDLE_LOOK_MS, undefined, {
        signal: AbortSignal.any([signal, this.wake.signal]),
        ref: false,
      }).catch(() => undefined);
    }
    this.running = false;
  }

  /**
   * From now on, everything that happens is kept for this caller.
   * @param unseenFromMs of a run that is adopted: the end of its log, epoch ms; who died since then is told, too
   */
  watch(unseenFromMs?: number): Watching {
    const listener: Listener = { sinceMs: Date.now(), notices: [], replicas: undefined };
    if (this.listeners.size === 0) {
      // What a run before saw last is no state to compare with.
      this.servers = undefined;
      this.missed.clear();
    }
    this.listeners.add(listener);
    this.wake.abort();
    let missing = unseenFromMs;
    return {
      news: async () => {
        // Where nothing looks by itself, each call is a look.
        if (!this.running) await this.look(AbortSignal.timeout(LOOK_LIMIT_MS));
        if (missing !== undefined && this.view !== undefined) {
          listener.notices.unshift(...diedSince(missing, this.view));
          listener.replicas ??= await this.replicas(AbortSignal.timeout(LOOK_LIMIT_MS));
          missing = undefined;
        }
        const { replicas } = listener;
        listener.replicas = undefined;
        return { notices: listener.notices.splice(0), replicas };
      },
      readings: () => this.latest,
      end: () => void this.listeners.delete(listener),
    };
  }

  gauges(): StackGauges {
    const nodes = new Map<string, number>();
    for (const { Status } of this.view?.nodes.values() ?? [])
      nodes.set(Status.State, (nodes.get(Status.State) ?? 0) + 1);
    return { services: this.view === undefined ? [] : replicaCounts(this.view), deaths: this.deaths, nodes };
  }

  /** One look at everything. Concurrent calls share it. */
  private async look(signal: AbortSignal): Promise<void> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
    this.looking = this.looking.catch(() => undefined).then(() => this.lookNow(limited));
    await this.looking;
  }

  private async lookNow(signal: AbortSignal): Promise<void> {
    const before = this.view;
    const now = await readView(this.options.stack, signal);
    this.view = now;
    const notices = before === undefined ? [] : [...changesBetween(before, now)];
    for (const { what, service } of notices)
      if (what === 'task-died' && service !== undefined) this.deaths.set(service, (this.deaths.get(service) ?? 0) + 1);
    if (this.listeners.size > 0) notices.push(...(await this.closerLook(now, signal)));
    if (before === undefined) return;
    for (const listener of this.listeners)
      listener.notices.push(...notices.filter((notice) => isNewsFor(listener, notice, before)));
    await this.tellReplicas(now, signal);
  }

  /** What the manager does not know: only while a run is on. */
  private async closerLook(view: StackView, signal: AbortSignal): Promise<readonly Notice[]> {
    const [reports, servers] = await Promise.all([this.askAgents(view, signal), this.askGateway(view, signal)]);
    return [...reports, ...servers];
  }

  private async askAgents(view: StackView, signal: AbortSignal): Promise<readonly Notice[]> {
    const { stack, apiToken } = this.options;
    const agents = tasksOf(view, AGENT);
    const answers = await Promise.all(
      agents.map(async (task) => {
        const address = addressOf(task, `${stack.name}_control`);
        const report =
          address === undefined ? undefined : await askAgent(address, apiToken, signal).catch(() => undefined);
        return { task, report };
      }),
    );
    this.latest = answers.flatMap(({ report }) => report?.containers ?? []);
    return [
      ...answers.flatMap(({ task, report }) => this.silence(task, report, view)),
      ...answers.flatMap(({ report }) => this.newEvents(report?.events ?? [], view)),
    ];
  }

  private silence(task: Task, report: AgentReport | undefined, view: StackView): readonly Notice[] {
    const node = view.nodes.get(task.NodeID);
    if (node === undefined) return [];
    const missed = this.missed.get(node.ID) ?? 0;
    this.missed.set(node.ID, report === undefined ? missed + 1 : 0);
    const name = node.Description.Hostname;
    const about = { subject: name, node: name, happenedAt: new Date(view.atMs).toISOString() };
    if (report === undefined && missed + 1 === SILENT_LOOKS)
      return [{ ...about, what: 'node-silent', text: `node ${name} does not answer (${stateText(node)})` }];
    if (report !== undefined && missed >= SILENT_LOOKS)
      return [{ ...about, what: 'node-heard', text: `node ${name} answers again` }];
    return [];
  }

  private newEvents(events: readonly ContainerEvent[], view: StackView): readonly Notice[] {
    const isFirst = this.seenEvents.size === 0;
    const fresh = events.filter(({ id }) => !this.seenEvents.has(id));
    for (const { id } of fresh) this.seenEvents.add(id);
    // Agents keep a minute of events: the oldest ids will not come again.
    for (const id of this.seenEvents) {
      if (this.seenEvents.size <= 5_000) break;
      this.seenEvents.delete(id);
    }
    return fresh
      .filter(({ at }) => !isFirst || at > view.atMs - LOOK_MS)
      .flatMap((event): readonly Notice[] => {
        const notice = noticeOfEvent(event);
        return notice === undefined ? [] : [notice];
      });
  }

  private async askGateway(view: StackView, signal: AbortSignal): Promise<readonly Notice[]> {
    const [gateway] = tasksOf(view, GATEWAY);
    for (const task of view.tasks.values()) {
      if (view.services.get(task.ServiceID)?.name !== TARGET) continue;
      const address = addressOf(task, `${this.options.stack.name}_mcp-network`);
      if (address !== undefined) this.addresses.set(address, taskName(task, view));
    }
    const host = gateway === undefined ? undefined : addressOf(gateway, `${this.options.stack.name}_mcp-network`);
    if (host === undefined) return [];
    const csv = await gatewayStatistics(host, signal).catch(() => undefined);
    if (csv === undefined) return [];
    const states = serverStates(gatewayServers(csv));
    const before = this.servers;
    this.servers = states;
    if (before === undefined) return [];
    return serverChanges(before, states).map(({ address, isUp, why, secondsAgo }): Notice => {
      const subject = this.addresses.get(address.replace(/:\d+$/, '')) ?? address;
      const happenedAt = new Date(view.atMs - secondsAgo * 1000).toISOString();
      const about = { subject, service: TARGET, happenedAt };
      return isUp
        ? { ...about, what: 'server-back', text: `the gateway sends to ${subject} ${backText(before.has(address))}` }
        : { ...about, what: 'server-out', text: `the gateway took ${subject} out: ${why}` };
    });
  }

  /** Tells the listeners which replicas run, when those are other tasks than before. */
  private async tellReplicas(view: StackView, signal: AbortSignal): Promise<void> {
    const key = tasksOf(view, TARGET)
      .map(({ ID }) => ID)
      .toSorted()
      .join(' ');
    if (key === this.tasksKey) return;
    const isFirst = this.tasksKey === '';
    this.tasksKey = key;
    if (isFirst || this.listeners.size === 0) return;
    const replicas = await this.replicas(signal);
    for (const listener of this.listeners) listener.replicas = replicas;
  }

  private async replicas(signal: AbortSignal): Promise<readonly Replica[]> {
    const { stack } = this.options;
    const services = await servicesOf(stack, signal);
    const target = services.get(TARGET);
    if (target === undefined) return [];
    return replicasOfService(target, await runningTasks(stack, services, [TARGET], signal), stack);
  }
}

/** The first look after the start of a run also sees what was done to prepare it. */
function isNewsFor({ sinceMs }: Listener, { what, happenedAt }: Notice, before: StackView): boolean {
  return before.atMs >= sinceMs || (what === 'task-died' && Date.parse(happenedAt) >= sinceMs);
}

/** While no harness watched. */
function diedSince(fromMs: number, view: StackView): readonly Notice[] {
  return changesBetween({ ...view, tasks: new Map() }, view, fromMs);
}

function tasksOf({ tasks, services }: StackView, name: string): readonly Task[] {
  return [...tasks.values()].filter(
    ({ ServiceID, DesiredState, Status }) =>
      services.get(ServiceID)?.name === name && DesiredState === 'running' && Status.State === 'running',
  );
}

async function readView(stack: Stack, signal: AbortSignal): Promise<StackView> {
  const { engine, name } = stack;
  const atMs = Date.now();
  const [services, tasks, nodes] = await Promise.all([
    servicesOf(stack, signal),
    engine.tasks.labelled(labelOf(name), signal),
    engine.nodes.all(signal),
  ]);
  return {
    atMs,
    services: new Map([...services].map(([short, service]) => [service.ID, { name: short, service }])),
    tasks: new Map(tasks.map((task) => [task.ID, task])),
    nodes: new Map(nodes.map((node) => [node.ID, node])),
  };
}

function stateText({ Status }: SwarmNode): string {
  return `Swarm says ${Status.State}`;
}

function backText(isKnown: boolean): string {
  return isKnown ? 'again' : 'now';
}

/** Undefined for what the tasks tell in any case. */
function noticeOfEvent({ action, labels, at }: ContainerEvent): Notice | undefined {
  const { service, slot, node } = labels;
  const subject = slot === '' ? `${service} on ${node}` : `${service}.${slot}`;
  const about = { subject, service, node, happenedAt: new Date(at).toISOString() };
  switch (action) {
    case 'pause':
      return { ...about, what: 'task-paused', text: `${subject} was paused` };
    case 'unpause':
      return { ...about, what: 'task-resumed', text: `${subject} runs on after a pause` };
    case 'oom':
      return {
        ...about,
        what: 'task-out-of-memory',
        text: `${subject} reached its memory limit, and the kernel killed a process of it`,
      };
    case 'unhealthy':
      return {
        ...about,
        what: 'task-unhealthy',
        text: `${subject} is unhealthy: its health check failed again and again`,
      };
    default:
      return undefined;
  }
}
