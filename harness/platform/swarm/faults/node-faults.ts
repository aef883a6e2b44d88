/** Faults of whole nodes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeFault } from '../../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultTarget } from '../../../../scenarios/schema/faults/fault-targets.js';
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import { type FaultContext, type FaultEffect, FaultRefused, type FaultSubject, type LeftOver } from '../../platform.js';
import type { SwarmNode } from '../engine/answers.js';
import { runningTasks } from '../run-on-stack/running-tasks.js';
import { replicasOfService, TARGET } from '../run-on-stack/target.js';
import { wantedReplicas } from '../stack/service-progress.js';
import { labelOf, servicesOf, shortName } from '../stack/stack-objects.js';
import { movedAway, notBack } from './data-plane.js';
import type { FaultHandler, FaultStack } from './fault-handler.js';
import type { NodeAgent } from './node-agents.js';
import { countPerNode, mostSessions, type Struck, tasksNow } from './struck.js';

type NodeFault = Extract<FaultPlan, { readonly kind: 'drain' | 'node-cut' | 'node-down' | 'leader' }>;

const POLL_MS = 500;
const SAY_MS = 1_000;
/** A node that holds one of these cannot be taken away: the run would measure the loss of its own parts. */
const NEEDED = /^(?:harness|gateway|client-sim-.+)$/;
/** An agent that misses two looks in a row is cut off, or its engine does not answer. */
const SILENT_LOOKS = 2;

const journal = z.object({
  order: z.string(),
  nodeId: z.string(),
  node: z.string(),
  availability: z.string(),
  service: z.string(),
  wanted: z.number(),
  perNode: z.record(z.string(), z.number()),
});
type Journal = z.infer<typeof journal>;

interface Way<Fault extends NodeFault> {
  inject(stack: FaultStack, fault: Fault, before: Journal, signal: AbortSignal): Promise<void>;
  undo(stack: FaultStack, before: Journal, signal: AbortSignal): Promise<void>;
  /** @param missed looks in a row in which its agent, or the engine behind it, did not answer */
  witness(stack: FaultStack, before: Journal, missed: number, signal: AbortSignal): Promise<string | undefined>;
}

function nodeFault<Fault extends NodeFault>(way: Way<Fault>): FaultHandler<Fault> {
  return {
    refusal: (fault, { target }) =>
      target.kind === 'url' || target.kind === 'command'
        ? `fault ${describeFault(fault)}: the target is a ${target.kind}, and not the stack's own ${TARGET}`
        : undefined,

    async inspect(stack, fault, context: FaultContext, signal) {
      const before = await chooseNode(stack, fault, context, signal);
      const onIt = (await tasksNow(stack, TARGET, signal)).filter(({ nodeId }) => nodeId === before.nodeId);
      return {
        description: `${describeFault(fault)}: ${before.node}, which has ${onIt.length} replicas`,
        replicas: onIt.map(({ name }) => name),
        before: { ...before },
      };
    },

    inject: (stack, fault, subject, _progress, signal) =>
      way.inject(stack, fault, journal.parse(subject.before), signal),

    undo: (stack, _fault, subject, signal) => way.undo(stack, journal.parse(subject.before), signal),

    async waitForEffect(stack, _fault, subject: FaultSubject, phase, signal) {
      const before = journal.parse(subject.before);
      let missed = 0;
      let last: FaultEffect = { settled: false, replicas: [] };
      // Found before its node goes: managers without a leader do not say where it is, which is no sign of anything.
      let agent: NodeAgent | undefined;
      while (!signal.aborted) {
        agent ??= await stack.agents.on(before.nodeId, signal).catch(() => undefined);
        if (phase === 'injected' && agent !== undefined) missed = (await answersNow(agent, signal)) ? 0 : missed + 1;
        last = await (phase === 'injected'
          ? seen(stack, before, way, missed, signal)
          : back(stack, before, signal)
        ).catch(() => last);
        if (last.settled) break;
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
      return last;
    },
  };
}

// ---- which node ----

async function chooseNode(
  stack: FaultStack,
  fault: NodeFault,
  { runId, sessions }: FaultContext,
  signal: AbortSignal,
): Promise<Journal> {
  const [nodes, replicas, services] = await Promise.all([
    stack.engine.nodes.all(signal),
    tasksNow(stack, TARGET, signal),
    servicesOf(stack, signal),
  ]);
  const target: FaultTarget = fault.kind === 'leader' ? { at: 'leader' } : fault.target;
  const candidates = candidatesOf(target, nodes, replicas, sessions);
  const reasons: string[] = [];
  for (const node of candidates) {
    const why = await whyNot(stack, fault, node, nodes, replicas, signal);
    if (why === undefined) {
      const service = services.get(TARGET);
      return {
        order: `${runId}/${fault.id}`,
        nodeId: node.ID,
        node: node.Description.Hostname,
        availability: node.Spec.Availability,
        service: TARGET,
        wanted: service === undefined ? 0 : wantedReplicas(service),
        perNode: countPerNode(replicas),
      };
    }
    reasons.push(`node ${node.Description.Hostname} ${why}`);
  }
  throw new FaultRefused(reasons.length === 0 ? 'there is no such node' : reasons.join('; '));
}

/** With `serving`, the next best node is struck when the best one cannot be. */
function candidatesOf(
  target: FaultTarget,
  nodes: readonly SwarmNode[],
  replicas: readonly Struck[],
  sessions: ReadonlyMap<string, number>,
): readonly SwarmNode[] {
  const byId = (ids: readonly string[]): readonly SwarmNode[] =>
    [...new Set(ids)].flatMap((id) => nodes.find(({ ID }) => ID === id) ?? []);
  switch (target.at) {
    case 'node':
      return nodes.filter(({ ID, Description }) => target.node === ID || target.node === Description.Hostname);
    case 'leader':
      return nodes.filter(({ ManagerStatus }) => ManagerStatus?.Leader === true);
    case 'replicas':
      return byId(replicas.filter(({ slot }) => target.slots.includes(slot)).map(({ nodeId }) => nodeId));
    case 'serving':
      return byId(mostSessions(replicas, sessions).map(({ nodeId }) => nodeId));
    case 'gateway':
      return [];
  }
}

async function whyNot(
  stack: FaultStack,
  { kind }: NodeFault,
  node: SwarmNode,
  nodes: readonly SwarmNode[],
  replicas: readonly Struck[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (node.Status.State !== 'ready') return `is ${node.Status.State} already`;
  const services = await servicesOf(stack, signal);
  const names = new Map([...services].map(([name, { ID }]) => [ID, shortName(name, stack.name)]));
  const tasks = await stack.engine.tasks.labelled(labelOf(stack.name), signal);
  const needed = tasks
    .filter(
      ({ NodeID, DesiredState, Status }) =>
        NodeID === node.ID && DesiredState === 'running' && Status.State === 'running',
    )
    .map(({ ServiceID }) => names.get(ServiceID) ?? '')
    .filter((name) => NEEDED.test(name));
  if (needed.length > 0) return `holds ${[...new Set(needed)].join(' and ')}, which the run needs`;
  const managers = nodes.filter(({ ManagerStatus }) => ManagerStatus !== null && ManagerStatus !== undefined);
  if (kind !== 'drain' && managers.some(({ ID }) => ID === node.ID)) {
    const reachable = managers.filter(
      ({ ID, ManagerStatus }) => ID !== node.ID && ManagerStatus?.Reachability === 'reachable',
    );
    if (reachable.length <= managers.length / 2)
      return `is one of ${managers.length} managers, and the others would have no quorum`;
  }
  if (kind !== 'leader' && replicas.length > 0 && replicas.every(({ nodeId }) => nodeId === node.ID))
    return `holds all ${replicas.length} replicas, so none would be left`;
  return undefined;
}

// ---- what can be seen ----

/** Whether the agent of the node answers, and its engine answers the agent. */
async function engineAnswers(stack: FaultStack, nodeId: string, signal: AbortSignal): Promise<boolean> {
  const agent = await stack.agents.on(nodeId, signal).catch(() => undefined);
  return agent !== undefined && (await answersNow(agent, signal));
}

async function answersNow(agent: NodeAgent, signal: AbortSignal): Promise<boolean> {
  try {
    await agent.states(AbortSignal.any([signal, AbortSignal.timeout(1_500)]));
    return true;
  } catch {
    return false;
  }
}

async function seen<Fault extends NodeFault>(
  stack: FaultStack,
  before: Journal,
  way: Way<Fault>,
  missed: number,
  signal: AbortSignal,
): Promise<FaultEffect> {
  const evidence = await way.witness(stack, before, missed, signal);
  return evidence === undefined ? { settled: false, replicas: [] } : { settled: true, evidence, replicas: [] };
}

/** What Swarm says of the node, for evidence. Managers that have lost their leader say nothing for some seconds. */
async function swarmSays(stack: FaultStack, nodeId: string, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SAY_MS)]);
  const node = await nodeNow(stack, nodeId, limit).catch(() => undefined);
  return `Swarm says ${node?.Status.State ?? 'nothing'}`;
}

async function nodeNow(stack: FaultStack, nodeId: string, signal: AbortSignal): Promise<SwarmNode | undefined> {
  return (await stack.engine.nodes.all(signal)).find(({ ID }) => ID === nodeId);
}

async function back(stack: FaultStack, before: Journal, signal: AbortSignal): Promise<FaultEffect> {
  const node = await nodeNow(stack, before.nodeId, signal);
  const left: LeftOver[] = [];
  if (node?.Status.State !== 'ready')
    left.push({ what: `node ${before.node} is ${node?.Status.State ?? 'gone'}`, mend: `docker node ls` });
  else if (node.Spec.Availability !== before.availability)
    left.push({
      what: `node ${before.node} is ${node.Spec.Availability}`,
      mend: `docker node update --availability ${before.availability} ${before.node}`,
    });
  else if (!(await engineAnswers(stack, before.nodeId, signal)))
    left.push({
      what: `the agent on node ${before.node} does not answer`,
      mend: `docker service ps ${stack.name}_agent`,
    });
  if (left.length === 0) left.push(...(await notBack(stack, { ...before, struck: [] }, signal)));
  if (left.length > 0) return { settled: false, left, replicas: [] };
  const now = await tasksNow(stack, TARGET, signal);
  const services = await servicesOf(stack, signal);
  const target = services.get(TARGET);
  const replicas =
    target === undefined ? [] : replicasOfService(target, await runningTasks(stack, services, [TARGET], signal), stack);
  // All is well, only elsewhere.
  return { settled: true, left: movedAway(stack, { ...before, struck: [] }, now), replicas };
}

// ---- the kinds ----

async function setAvailability(
  stack: FaultStack,
  { nodeId }: Journal,
  availability: string,
  signal: AbortSignal,
): Promise<void> {
  await stack.engine.nodes.setAvailability(nodeId, availability, signal);
}

export const drain = nodeFault<Extract<NodeFault, { readonly kind: 'drain' }>>({
  inject: (stack, _fault, before, signal) => setAvailability(stack, before, 'drain', signal),
  undo: (stack, before, signal) => setAvailability(stack, before, before.availability, signal),
  async witness(stack, { nodeId, node }, _missed, signal) {
    const left = (await tasksNow(stack, TARGET, signal)).filter((task) => task.nodeId === nodeId);
    const availability = (await nodeNow(stack, nodeId, signal))?.Spec.Availability;
    return availability === 'drain' && left.length === 0 ? `no replica is left on ${node}` : undefined;
  },
});

/** Its own timer ends it: nobody can reach a node that is cut off. */
export const nodeCut = nodeFault<Extract<NodeFault, { readonly kind: 'node-cut' }>>({
  async inject(stack, { atMs, untilMs }, { order, nodeId }, signal) {
    const agent = await stack.agents.on(nodeId, signal);
    await agent.order({ kind: 'node-cut', id: order, forSeconds: (untilMs - atMs) / 1000 }, signal);
  },
  undo: endOnNode,
  async witness(stack, { nodeId, node }, missed, signal) {
    if (missed < SILENT_LOOKS) return undefined;
    return `${node} does not answer; ${await swarmSays(stack, nodeId, signal)}`;
  },
});

export const nodeDown = nodeFault<Extract<NodeFault, { readonly kind: 'node-down' }>>(engineKilled());
export const leader = nodeFault<Extract<NodeFault, { readonly kind: 'leader' }>>(engineKilled());

function engineKilled<Fault extends NodeFault>(): Way<Fault> {
  return {
    async inject(stack, { atMs, untilMs }, { order, nodeId }, signal) {
      const agent = await stack.agents.on(nodeId, signal);
      await agent.order({ kind: 'engine-kill', id: order, forSeconds: (untilMs - atMs) / 1000 }, signal);
    },
    // The helper starts the engine again when its time is over; nothing else can.
    undo: async () => undefined,
    async witness(stack, { nodeId, node }, missed, signal) {
      if (missed < SILENT_LOOKS) return undefined;
      return `the engine of ${node} does not answer; ${await swarmSays(stack, nodeId, signal)}`;
    },
  };
}

/** As soon as the node can be reached; until then it ends by itself. */
async function endOnNode(stack: FaultStack, { order, nodeId }: Journal, signal: AbortSignal): Promise<void> {
  const agent = await stack.agents.on(nodeId, signal).catch(() => undefined);
  await agent?.undo({ id: order }, AbortSignal.any([signal, AbortSignal.timeout(3_000)])).catch(() => undefined);
}
