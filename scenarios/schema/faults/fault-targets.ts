/** Whom a fault strikes: how a scenario names it, and when two faults strike the same. */
import { z } from 'zod';
import { MAX_REPLICAS, name, percentage, TARGET_SERVICE, wholeNumber } from '../keys/fields.js';
import type { ActionContext, FaultSubjects } from './fault-kind.js';

export type FaultTarget =
  /** Replicas by their numbers, from 1. Where there was a choice, it was drawn from the seed. */
  | { readonly at: 'replicas'; readonly slots: readonly number[] }
  /** The replica with the most sessions when the fault begins. */
  | { readonly at: 'serving' }
  /** On a swarm: the replicas on a node, or the node itself, by its host name or id. */
  | { readonly at: 'node'; readonly node: string }
  /** On a swarm: the leader of the managers. */
  | { readonly at: 'leader' }
  /** The load balancer of the stack. */
  | { readonly at: 'gateway' };

/** Keys of faults of replicas. */
export const targetKeys = {
  replica: z
    .union([wholeNumber(1, MAX_REPLICAS), name.or(z.string().regex(/^[A-Za-z0-9][\w-]*\.\d+$/))])
    .optional()
    .describe(
      'The replica that it strikes: its number from 1, or its name (reference-2 on this machine, mcp-server.2 on a ' +
        'swarm). Default: one replica, drawn from the seed.',
    ),
  count: wholeNumber(1, MAX_REPLICAS).optional().describe('It strikes so many replicas, drawn from the seed.'),
  fraction: percentage
    .optional()
    .describe('It strikes this share of the replicas, rounded up and drawn from the seed.'),
  serving: z
    .literal(true)
    .optional()
    .describe('true: it strikes the replica with the most sessions when it begins, or its node.'),
  node: z
    .string()
    .min(1)
    .optional()
    .describe('On a swarm: it strikes the replicas on this node, or with a kind of a node, the node itself.'),
  allowTotal: z
    .literal(true)
    .optional()
    .describe('true: it may strike all replicas at once. Without it, a fault that would leave none is refused.'),
};

/** Of faults of a whole service. */
export const service = name
  .optional()
  .describe(`The service to change, by its name in the stack file. Default ${TARGET_SERVICE}.`);

/** Keys of faults that may also strike the gateway. */
export const gatewayKeys = {
  gateway: z.literal(true).optional().describe('true: it strikes the load balancer of the stack, and not a replica.'),
};

/** Keys of faults of nodes. */
export const nodeKeys = {
  node: targetKeys.node,
  serving: targetKeys.serving,
  replica: targetKeys.replica,
  leader: z.literal(true).optional().describe('true: it strikes the node of the leader of the managers.'),
};

type TargetSource = {
  readonly [Key in 'replica' | 'count' | 'fraction' | 'serving' | 'node' | 'allowTotal' | 'gateway' | 'leader']?:
    | string
    | number
    | true
    | undefined;
};

export interface Targeted {
  readonly target: FaultTarget;
  /** Absent: it must leave a replica. */
  readonly allowTotal?: true;
}

const selectors = ['replica', 'count', 'fraction', 'serving', 'node', 'gateway', 'leader'] as const;

/**
 * The target that the keys of a fault name, with what is to be drawn from the seed drawn.
 * @returns undefined when something is wrong, which is reported
 */
export function resolveTarget(source: TargetSource, context: ActionContext): Targeted | undefined {
  const { path, scenario, replicas } = context;
  const named = selectors.filter((key) => source[key] !== undefined);
  const [selector = 'count'] = named;
  if (named.length > 1) {
    scenario.reportAtKey(
      [...path, named[1] ?? ''],
      'CONFLICT',
      `a fault strikes one target, and here are ${named.map((key) => `\`${key}\``).join(' and ')}`,
      'keep one of them',
    );
    return undefined;
  }
  const total = source.allowTotal === true ? { allowTotal: true as const } : {};
  if (selector === 'serving' || selector === 'leader' || selector === 'gateway')
    return { target: { at: selector }, ...total };
  if (selector === 'node') return { target: { at: 'node', node: String(source.node) }, ...total };
  // Without replicas of ours a platform refuses the fault, and says why.
  const slots = replicas === undefined ? [] : slotsOf(selector, source, replicas, context);
  if (slots === undefined) return undefined;
  if (replicas !== undefined && slots.length >= replicas && source.allowTotal !== true) {
    scenario.reportAtValue(
      path,
      'CONFLICT',
      `the fault would strike ${replicas === 1 ? 'the only replica' : `all ${replicas} replicas`}, ` +
        'so none would be left',
      'strike fewer, give the target more replicas (target.replicas), or say that this is meant: allowTotal: true',
    );
    return undefined;
  }
  return { target: { at: 'replicas', slots }, ...total };
}

function slotsOf(
  selector: 'replica' | 'count' | 'fraction',
  source: TargetSource,
  replicas: number,
  context: ActionContext,
): readonly number[] | undefined {
  const { path, scenario, draw, replicaNames } = context;
  const key = [...path, selector];
  if (selector === 'replica') {
    const slot = typeof source.replica === 'number' ? source.replica : slotNamed(String(source.replica), context);
    if (slot !== undefined && slot <= replicas) return [slot];
    scenario.reportAtValue(
      key,
      'NOT_FOUND',
      `the target has no replica ${String(source.replica)}`,
      `it has 1 to ${replicas}${replicaNames.length === 0 ? '' : `, or by name ${replicaNames.join(', ')}`}`,
    );
    return undefined;
  }
  if (selector === 'fraction') {
    const share = Number(source.fraction);
    if (share > 0 && share <= 1) return draw(Math.min(replicas, Math.ceil(share * replicas - 1e-9)), replicas);
    scenario.reportAtValue(key, 'INVALID_VALUE', 'a fraction of the replicas is more than 0% and at most 100%');
    return undefined;
  }
  const count = source.count === undefined ? 1 : Number(source.count);
  if (count <= replicas) return draw(count, replicas);
  scenario.reportAtValue(key, 'CONFLICT', `the target has ${replicas} replicas, so no fault can strike ${count}`);
  return undefined;
}

/** `reference-2` and `mcp-server.2` are replica 2. A name of something else, such as a worker, is none. */
function slotNamed(replica: string, { replicaNames }: ActionContext): number | undefined {
  const base = /^(.*)[-.]\d+$/.exec(replica)?.[1];
  if (base === undefined || !replicaNames.some((known) => /^(.*)[-.]/.exec(known)?.[1] === base)) return undefined;
  return Number(/\d+$/.exec(replica)?.[0]);
}

export function describeTarget(target: FaultTarget): string {
  switch (target.at) {
    case 'replicas':
      return target.slots.length === 1 ? `replica ${target.slots[0]}` : `replicas ${target.slots.join(', ')}`;
    case 'serving':
      return 'the replica with the most sessions';
    case 'node':
      return `the replicas on node ${target.node}`;
    case 'leader':
      return 'the leader of the managers';
    case 'gateway':
      return 'the gateway';
  }
}

/** Of a kind that strikes nodes. */
export function describeNode(target: FaultTarget): string {
  switch (target.at) {
    case 'node':
      return `node ${target.node}`;
    case 'leader':
      return 'the node of the leader';
    default:
      return `the node of ${describeTarget(target)}`;
  }
}

export function subjectsOf({ target }: Targeted): FaultSubjects {
  switch (target.at) {
    case 'replicas':
      return { of: 'replicas', slots: target.slots };
    case 'gateway':
      return { of: 'service', service: 'gateway' };
    case 'serving':
    case 'node':
    case 'leader':
      return { of: 'replicas', slots: 'unknown' };
  }
}

export function nodeSubjects({ target }: Targeted): FaultSubjects {
  return { of: 'node', node: target.at === 'node' ? target.node : 'unknown' };
}

/**
 * What two faults change both, in words; undefined when there is nothing. Subjects that are known only when the fault
 * begins count as the same.
 */
export function commonSubject(a: FaultSubjects, b: FaultSubjects): string | undefined {
  if (a.of === 'service' && b.of === 'service') return a.service === b.service ? a.service : undefined;
  if (a.of === 'workers' || b.of === 'workers') {
    const both = a.of === 'workers' && b.of === 'workers' ? shared(a.slots, b.slots) : [];
    return both.length === 0 ? undefined : `worker ${both.join(', ')}`;
  }
  if (a.of === 'node' && b.of === 'node') {
    if (a.node === b.node && a.node !== 'unknown') return `node ${a.node}`;
    return a.node === 'unknown' || b.node === 'unknown' ? 'what may be the same node' : undefined;
  }
  if (a.of === 'replicas' && b.of === 'replicas') {
    if (a.slots === 'unknown' || b.slots === 'unknown') return 'what may be the same replica';
    const both = shared(a.slots, b.slots);
    return both.length === 0 ? undefined : `replica ${both.join(', ')}`;
  }
  const service = [a, b].find((one) => one.of === 'service');
  const other = [a, b].find((one) => one.of === 'replicas');
  if (service?.of === 'service' && other !== undefined)
    return service.service === TARGET_SERVICE ? `replicas of ${TARGET_SERVICE}` : undefined;
  // A replica and a node, on which it may be.
  return other === undefined ? undefined : 'a replica and what may be its node';
}

function shared(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.filter((one) => b.includes(one));
}
