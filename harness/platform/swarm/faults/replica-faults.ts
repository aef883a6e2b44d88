/** Faults of single tasks, by orders to the agents on their nodes: of the process, its network, its work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { strengthAt } from '../../../../scenarios/schema/faults/fault-kind.js';
import { describeFault } from '../../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import { DOMAIN_NAME, type FaultOrder, type FaultState, type NetworkEffect } from '../../../agent/fault-orders.js';
import { type FaultEffect, FaultRefused, type FaultSubject, type Replica } from '../../platform.js';
import { runningTasks } from '../run-on-stack/running-tasks.js';
import { replicasOfService, TARGET } from '../run-on-stack/target.js';
import { servicesOf } from '../stack/stack-objects.js';
import { answers, connectMs, notBack, targetPort } from './data-plane.js';
import type { FaultHandler, FaultStack, Shown } from './fault-handler.js';
import { namesOf, type Struck, type StruckJournal, strike, struckJournal, tasksNow } from './struck.js';

/** The agents and helpers end a fault that nobody has renewed for so long; the controller renews each second. */
const LEASE_SECONDS = 10;
const POLL_MS = 300;
/** Bytes a second that no replica sends. */
const UNREACHED = 1e9;

type Kind =
  | 'kill'
  | 'stop'
  | 'restart'
  | 'pause'
  | 'cpu'
  | 'memory'
  | 'partition'
  | 'delay'
  | 'loss'
  | 'rate'
  | 'reset'
  | 'dns';
export type ReplicaFault = Extract<FaultPlan, { readonly kind: Kind }>;

/** What is special of a kind. */
interface Way<Fault extends ReplicaFault> {
  /** @param progress share of the fault's time that is over */
  order(fault: Fault, one: Struck, journal: StruckJournal, progress: number, port: number): FaultOrder;
  /** Whether it lasts, so that it is renewed and undone; the others act once. */
  readonly lasts: boolean;
  /** Why nothing of this kind can be in this plan. */
  refusal?(fault: Fault): string | undefined;
  witness(fault: Fault, one: Struck, seen: Seen): Promise<Shown> | Shown;
}

/** What can be seen of one task that is struck. */
interface Seen {
  /** Undefined when the agent does not know the fault (any more). */
  readonly state: FaultState | undefined;
  readonly container: { readonly running: boolean; readonly paused: boolean; readonly exitCode: number } | undefined;
  readonly memoryLimitBytes: number;
  readonly port: number;
  readonly signal: AbortSignal;
}

export function replicaFault<Fault extends ReplicaFault>(way: Way<Fault>): FaultHandler<Fault> {
  const orderAll = async (
    stack: FaultStack,
    fault: Fault,
    journal: StruckJournal,
    tasks: readonly Struck[],
    progress: number,
    signal: AbortSignal,
  ): Promise<void> => {
    const port = await targetPort(stack, signal);
    // All at the same time, as far as that goes: a fault of several replicas is one fault.
    const done = await Promise.allSettled(
      tasks.map(async (one) => {
        const agent = await stack.agents.on(one.nodeId, signal);
        await agent.order(way.order(fault, one, journal, progress, port), signal);
      }),
    );
    const failed = done.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    const [first] = failed;
    if (first === undefined) return;
    // Only when none was struck nothing has changed.
    throw first instanceof FaultRefused && failed.length < tasks.length ? new Error(first.message) : first;
  };

  return {
    refusal(fault, { target }) {
      const isOurs = fault.target.at === 'gateway' || (fault.kind === 'dns' && fault.worker !== undefined);
      if (!isOurs && (target.kind === 'url' || target.kind === 'command'))
        return `fault ${describeFault(fault)}: the target is a ${target.kind}, and not the stack's own ${TARGET}`;
      const why = way.refusal?.(fault);
      return why === undefined ? undefined : `fault ${describeFault(fault)}: ${why}`;
    },

    async inspect(stack, fault, context, signal) {
      const journal = await strike(stack, fault, context, signal);
      const all = await stack.agents.all(signal);
      const without = journal.struck.find(({ nodeId }) => !all.has(nodeId));
      if (without !== undefined)
        throw new FaultRefused(`no agent of the stack runs on ${without.node}, and faults of its tasks need one`);
      return {
        description: `${describeFault(fault)}: ${namesOf(journal.struck)}`,
        replicas: journal.service === TARGET ? journal.struck.map(({ name }) => name) : [],
        before: { ...journal },
      };
    },

    async inject(stack, fault, subject, progress, signal) {
      const journal = journalOf(subject);
      await orderAll(stack, fault, journal, journal.struck, progress, signal);
    },

    /** Renews the lease, sets the strength, and strikes the tasks that have come in the place of those struck. */
    async maintain(stack, fault, subject, progress, signal) {
      const journal = journalOf(subject);
      const slots = journal.struck.map(({ slot }) => slot);
      const tasks = (await tasksNow(stack, journal.service, signal)).filter(({ slot }) => slots.includes(slot));
      if (way.lasts) await renew(stack, journal, tasks, signal);
      const known = way.lasts
        ? await struckNow(stack, journal, tasks, signal)
        : new Set(journal.struck.map(containerOf));
      const fresh = tasks.filter((one) => !known.has(one.container));
      if (fresh.length > 0) await orderAll(stack, fault, journal, fresh, progress, signal);
      if (isRamped(fault)) {
        const old = tasks.filter((one) => known.has(one.container));
        await orderAll(stack, fault, journal, old, progress, signal);
      }
      return fresh.map(({ name, node }) => `${name} on ${node}`);
    },

    async undo(stack, _fault, subject, signal) {
      if (!way.lasts) return;
      const { order } = journalOf(subject);
      // Wherever a replaced task was struck.
      const agents = await stack.agents.all(signal);
      await Promise.all([...agents.values()].map((agent) => agent.undo({ id: order }, signal)));
    },

    /** What a helper has set goes with the namespace of its task: Swarm gives the slot another one. */
    async undoByForce(stack, _fault, subject, signal) {
      const { order, struck } = journalOf(subject);
      for (const { nodeId, container } of struck) {
        const agent = await stack.agents.on(nodeId, signal);
        if ((await agent.look(container, signal))?.running === true)
          await agent.order({ kind: 'signal', id: order, container, signal: 'SIGKILL' }, signal);
      }
    },

    async waitForEffect(stack, fault, subject, phase, signal) {
      const journal = journalOf(subject);
      let last: FaultEffect = { settled: false, replicas: [] };
      while (!signal.aborted) {
        last = await (phase === 'injected'
          ? witnessed(stack, fault, journal, way, signal)
          : undone(stack, journal, way.lasts, signal)
        ).catch(() => last);
        if (last.settled) break;
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
      return last;
    },
  };
}

function journalOf({ before }: FaultSubject): StruckJournal {
  return struckJournal.parse(before);
}

function containerOf({ container }: Struck): string {
  return container;
}

function isRamped(fault: ReplicaFault): boolean {
  return Object.values(fault).some(
    (value: unknown) =>
      typeof value === 'object' && value !== null && 'from' in value && 'to' in value && value.from !== value.to,
  );
}

async function renew(
  stack: FaultStack,
  { order }: StruckJournal,
  tasks: readonly Struck[],
  signal: AbortSignal,
): Promise<void> {
  const nodes = [...new Set(tasks.map(({ nodeId }) => nodeId))];
  await Promise.all(nodes.map(async (node) => (await stack.agents.on(node, signal)).renew({ id: order }, signal)));
}

/** Containers on which the fault is on. */
async function struckNow(
  stack: FaultStack,
  { order }: StruckJournal,
  tasks: readonly Struck[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const nodes = [...new Set(tasks.map(({ nodeId }) => nodeId))];
  const states = await Promise.all(nodes.map(async (node) => (await stack.agents.on(node, signal)).states(signal)));
  return new Set(
    states.flat().flatMap(({ id, state, container }) => (id === order && state === 'on' ? [container] : [])),
  );
}

async function witnessed<Fault extends ReplicaFault>(
  stack: FaultStack,
  fault: Fault,
  { order, struck }: StruckJournal,
  way: Way<Fault>,
  signal: AbortSignal,
): Promise<FaultEffect> {
  const port = await targetPort(stack, signal);
  const shown = await Promise.all(
    struck.map(async (one) => {
      const agent = await stack.agents.on(one.nodeId, signal);
      const [states, container] = await Promise.all([agent.states(signal), agent.look(one.container, signal)]);
      const state = states.find(({ id, container: of }) => id === order && of === one.container);
      const seen = { state, container, memoryLimitBytes: container?.memoryLimitBytes ?? 0, port, signal };
      const text = await way.witness(fault, one, seen);
      if (typeof text === 'object') return { isShown: false, text: `${one.name}: ${text.notYet}` };
      return text === undefined ? undefined : { isShown: true, text: `${one.name}: ${text}` };
    }),
  );
  const evidence = shown.flatMap((one) => one?.text ?? []).join('; ');
  const settled = shown.every((one) => one?.isShown === true);
  return { settled, ...(evidence === '' ? {} : { evidence }), replicas: [] };
}

/** No helper or mark of ours is left on any node, and the service is as before. */
async function undone(
  stack: FaultStack,
  journal: StruckJournal,
  lasts: boolean,
  signal: AbortSignal,
): Promise<FaultEffect> {
  const agents = await stack.agents.all(signal);
  const states = lasts ? (await Promise.all([...agents.values()].map((agent) => agent.states(signal)))).flat() : [];
  const ours = states.filter(({ id, state }) => id === journal.order && state !== 'ended');
  const now = lasts ? [] : await tasksNow(stack, journal.service, signal);
  const killed = now.filter(({ container }) => journal.struck.some((one) => one.container === container));
  const left = [
    ...killed.map(({ name }) => ({
      what: `${name} has not been replaced`,
      mend: `docker service update --force ${stack.name}_${journal.service}`,
    })),
    ...ours.map(({ kind, container }) => ({
      what: `the ${kind} of container ${container.slice(0, 12)} is still on`,
      mend: 'swarmbench heal --all',
    })),
    ...(await notBack(stack, journal, signal)),
  ];
  return { settled: left.length === 0, left, replicas: left.length === 0 ? await replicasNow(stack, signal) : [] };
}

async function replicasNow(stack: FaultStack, signal: AbortSignal): Promise<readonly Replica[]> {
  const services = await servicesOf(stack, signal);
  const target = services.get(TARGET);
  if (target === undefined) return [];
  return replicasOfService(target, await runningTasks(stack, services, [TARGET], signal), stack);
}

// ---- the kinds ----

type Of<K extends Kind> = Extract<ReplicaFault, { readonly kind: K }>;

function gone({ container }: Seen): string | undefined {
  return container?.running ? undefined : `gone, exit code ${container?.exitCode ?? 'unknown'}`;
}

export const kill = replicaFault<Of<'kill'>>({
  lasts: false,
  order: ({ signal }, { container }, { order: id }) => ({ kind: 'signal', id, container, signal }),
  witness: (_fault, _one, seen) => gone(seen),
});

export const stop = replicaFault<Of<'stop'>>({
  lasts: false,
  order: (_fault, { container }, { order: id }) => ({ kind: 'stop', id, container }),
  witness: (_fault, _one, seen) => gone(seen),
});

/** Swarm starts another task in its place. */
export const restart = replicaFault<Of<'restart'>>({
  lasts: false,
  order: (_fault, { container }, { order: id }) => ({ kind: 'stop', id, container }),
  witness: (_fault, _one, seen) => gone(seen),
});

export const pause = replicaFault<Of<'pause'>>({
  lasts: true,
  order: (_fault, { container }, { order: id }) => ({ kind: 'pause', id, container, leaseSeconds: LEASE_SECONDS }),
  witness: async ({ target }, { address }, { container, port, signal }) => {
    if (container?.paused !== true) return undefined;
    const isSilent = !(await answers(address, target.at === 'gateway' ? 8404 : port, signal));
    return isSilent ? 'frozen, it takes connections and says nothing' : undefined;
  },
});

export const memory = replicaFault<Of<'memory'>>({
  lasts: true,
  order: ({ memory: limit }, { container }, { order: id }, progress) => ({
    kind: 'memory',
    id,
    container,
    bytes: Math.round(strengthAt(limit, progress)),
    leaseSeconds: LEASE_SECONDS,
  }),
  witness: ({ memory: limit }, _one, { memoryLimitBytes, container }) => {
    if (container?.running === false) return `killed, exit code ${container.exitCode}`;
    const most = Math.max(limit.from, limit.to);
    return memoryLimitBytes > 0 && memoryLimitBytes <= most ? `its limit is ${memoryLimitBytes} bytes` : undefined;
  },
});

export const cpu = replicaFault<Of<'cpu'>>({
  lasts: true,
  order: ({ cpu: burnt }, { container }, { order: id }, progress) => ({
    kind: 'cpu',
    id,
    container,
    cores: strengthAt(burnt, progress),
    leaseSeconds: LEASE_SECONDS,
  }),
  witness: ({ cpu: burnt }, _one, { state }) => {
    const milliseconds = state?.counts.burnt ?? 0;
    const place = state?.how === 'inside' ? 'in its control group' : 'beside it';
    const isNone = burnt.from === 0 && burnt.to === 0 && state?.state === 'on';
    return milliseconds > 0 || isNone ? `${milliseconds} ms of processor time were burnt ${place}` : undefined;
  },
});

const network =
  <Fault extends ReplicaFault>(effect: (fault: Fault, progress: number, port: number) => NetworkEffect) =>
  (fault: Fault, { container, address }: Struck, { order: id }: StruckJournal, progress: number, port: number) => ({
    kind: 'network' as const,
    id,
    container,
    address,
    network: effect(fault, progress, port),
    leaseSeconds: LEASE_SECONDS,
  });

export const partition = replicaFault<Of<'partition'>>({
  lasts: true,
  order: network(({ direction }) => ({ effect: 'partition', direction })),
  witness: (_fault, _one, { state }) => dropped(state, 'packets dropped', 1),
});

export const loss = replicaFault<Of<'loss'>>({
  lasts: true,
  order: network(({ loss: share }, progress) => ({ effect: 'loss', share: strengthAt(share, progress) })),
  witness: ({ loss: share }, _one, { state }) =>
    dropped(state, 'packets dropped', Math.max(share.from, share.to) > 0 ? 1 : 0),
});

export const reset = replicaFault<Of<'reset'>>({
  lasts: true,
  order: network(({ reset: share }, progress, port) => ({ effect: 'reset', share: strengthAt(share, progress), port })),
  witness: ({ reset: share }, _one, { state }) =>
    dropped(state, 'packets answered with a reset', Math.max(share.from, share.to) > 0 ? 1 : 0),
});

export const rate = replicaFault<Of<'rate'>>({
  lasts: true,
  order: network(({ rate: speed }, progress) => ({ effect: 'rate', bytesPerSecond: strengthAt(speed, progress) })),
  witness: ({ rate: speed }, _one, { state }) => {
    const { seen = 0, heldBack = 0, dropped: lost = 0 } = state?.counts ?? {};
    if (heldBack + lost > 0)
      return `${heldBack} times packets were held back, and ${lost} dropped, of ${seen} (${state?.how})`;
    if (seen === 0) return undefined;
    // To compare runs with and without a fault that does nothing.
    if (Math.min(speed.from, speed.to) >= UNREACHED) return `${seen} packets passed the limit (${state?.how})`;
    return { notYet: `${seen} packets passed the limit, and none had to wait: less was sent than it allows` };
  },
});

export const delay = replicaFault<Of<'delay'>>({
  lasts: true,
  order: network(({ delay: late, jitterMs }, progress) => {
    const delayMs = strengthAt(late, progress);
    return { effect: 'delay', delayMs, jitterMs: Math.min(jitterMs, delayMs) };
  }),
  witness: async ({ delay: late, jitterMs }, { address }, { state, port }) => {
    const { seen = 0 } = state?.counts ?? {};
    if (seen === 0) return undefined;
    const took = await connectMs(address, port, 10_000);
    if (took === undefined || took < Math.min(late.from, late.to) - jitterMs) return undefined;
    return `a connection takes ${took.toFixed(1)} ms; ${seen} packets were held (${state?.how})`;
  },
});

export const dns = replicaFault<Of<'dns'>>({
  lasts: true,
  refusal: ({ lookup }) => (DOMAIN_NAME.test(lookup) ? undefined : `\`${lookup}\` is not a name that can be looked up`),
  order: network(({ lookup, delay: late }, progress) => ({
    effect: 'dns',
    lookup,
    ...(late === undefined ? {} : { delayMs: strengthAt(late, progress) }),
  })),
  witness: ({ lookup, delay: late }, _one, { state }) => {
    const { found, probeMs, hit = 0 } = state?.counts ?? {};
    if (found === undefined || probeMs === undefined) return undefined;
    const many = `${hit} answers were changed (${state?.how})`;
    if (late === undefined)
      return found === 0 ? `${lookup} is unknown there; ${many}` : { notYet: `${lookup} is found there` };
    const leastMs = Math.min(late.from, late.to);
    // The clock of the helper has steps of 10 ms.
    return probeMs + 10 >= leastMs && hit > 0
      ? `a look-up of ${lookup} takes ${probeMs} ms there; ${many}`
      : { notYet: `a look-up of ${lookup} takes ${probeMs} ms there` };
  },
});

function dropped(state: FaultState | undefined, what: string, least: number): string | undefined {
  const { hit = 0, seen = 0 } = state?.counts ?? {};
  if (hit < least || (least === 0 && seen === 0)) return undefined;
  return seen === 0 ? `${hit} ${what}` : `${hit} of ${seen} ${what}`;
}
