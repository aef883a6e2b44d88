/** What the harness orders from the agent of a node, and what the agent says of it: JSON over HTTP. */
import { z } from 'zod';

/** At most 253 characters, labels of at most 63. */
export const DOMAIN_NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;

const share = z.number().min(0).max(1);
const seconds = z.number().positive().max(86_400);

/** What happens to packets at the interface with this address, in the namespace of one container. */
const network = z.discriminatedUnion('effect', [
  z.strictObject({ effect: z.literal('partition'), direction: z.enum(['both', 'in', 'out']) }),
  z.strictObject({ effect: z.literal('loss'), share }),
  z.strictObject({ effect: z.literal('reset'), share, port: z.number().int().min(1).max(65_535) }),
  z.strictObject({ effect: z.literal('rate'), bytesPerSecond: z.number().positive() }),
  z.strictObject({ effect: z.literal('delay'), delayMs: z.number().min(0), jitterMs: z.number().min(0) }),
  /** Without a delay there is no such name. */
  z.strictObject({
    effect: z.literal('dns'),
    lookup: z.string().regex(DOMAIN_NAME),
    delayMs: z.number().min(0).optional(),
  }),
]);
export type NetworkEffect = z.infer<typeof network>;

const common = {
  /** `RUN/FAULT`; orders with the same id and container are one fault. */
  id: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
};
const container = z.string().regex(/^[0-9a-f]{64}$/);
/** Without word from the harness for so long, the agent or the helper ends the fault. */
const leaseSeconds = seconds;

export const faultOrder = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('signal'), container, signal: z.string().regex(/^SIG[A-Z0-9]+$/) }),
  z.strictObject({ ...common, kind: z.literal('stop'), container }),
  z.strictObject({ ...common, kind: z.literal('pause'), container, leaseSeconds }),
  z.strictObject({ ...common, kind: z.literal('memory'), container, bytes: z.number().int().positive(), leaseSeconds }),
  z.strictObject({ ...common, kind: z.literal('cpu'), container, cores: z.number().min(0), leaseSeconds }),
  z.strictObject({
    ...common,
    kind: z.literal('network'),
    container,
    /** Of the container in the network of the load; its interface is found by it. */
    address: z.ipv4(),
    network,
    leaseSeconds,
  }),
  /** Of the node of the agent. It cannot be renewed: it ends by itself after its time. */
  z.strictObject({ ...common, kind: z.literal('node-cut'), forSeconds: seconds }),
  z.strictObject({ ...common, kind: z.literal('engine-kill'), forSeconds: seconds }),
]);
export type FaultOrder = z.infer<typeof faultOrder>;

/** Orders about faults that are on: everything on the node that one acts on, or one container of it. */
export const faultName = z.strictObject({ id: common.id, container: container.optional() });
export type FaultName = z.infer<typeof faultName>;

/** One container, or the node, that a fault acts on. */
export const faultState = z.object({
  id: z.string(),
  kind: z.string(),
  container: z.string(),
  /** `ended`: by itself, since its lease or time was over. */
  state: z.enum(['on', 'ended', 'failed']),
  /** `netem`, `nfqueue`, `nft` ...: how it is done. */
  how: z.string(),
  /** Packets, or whatever the kind counts. */
  counts: z.record(z.string(), z.number()),
  /** The last words of its helper. */
  detail: z.string(),
});
export type FaultState = z.infer<typeof faultState>;

export const faultStates = z.object({ faults: z.array(faultState) });

/** What the engine of the node says of a container. */
export const containerState = z.object({
  running: z.boolean(),
  paused: z.boolean(),
  exitCode: z.number(),
  oomKilled: z.boolean(),
  memoryLimitBytes: z.number(),
});
export type ContainerState = z.infer<typeof containerState>;
