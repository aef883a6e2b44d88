import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import { chooseOperation, type Draw } from '../mcp/draw.js';
import type { Channel, ChannelEvents, StreamListener, WireCounters } from '../transport/channel.js';
import { createWireCounters } from '../transport/shared.js';

/** How sessions of a profile live, whatever the mode is called: one set of rules for all four. */
interface SessionRules {
  /** Sessions one client may hold at once; more than one only per request. */
  readonly sessionSlots: number;
  /** After so many operations the session ends. */
  readonly operations: number;
  /** After so long the session ends. */
  readonly ageMs: number;
  /** Opened when an operation is due, not when the client becomes active. */
  readonly onDemand: boolean;
  /** Requests on the wire at once per session. */
  readonly capacity: number;
  /** TCP connections per session. */
  readonly connections: number;
  readonly pipeline: number;
}

export function sessionRules(profile: ProfilePlan): SessionRules {
  const capacity = profile.connections * profile.pipeline;
  const shared = { connections: profile.connections, pipeline: profile.pipeline, capacity };
  const lasting = { ...shared, sessionSlots: 1, operations: Infinity, ageMs: Infinity, onDemand: false };
  switch (profile.session.mode) {
    case 'reuse':
    case 'pool':
      return lasting;
    case 'churn':
      return 'operations' in profile.session.every
        ? { ...lasting, operations: profile.session.every.operations }
        : { ...lasting, ageMs: profile.session.every.ms };
    case 'per-request':
      return {
        sessionSlots: Math.min(profile.maxInFlight, capacity),
        operations: 1,
        ageMs: Infinity,
        onDemand: true,
        capacity: 1,
        connections: 1,
        pipeline: 1,
      };
  }
}

/**
 * Whose session it is: the number of the endpoint it goes to, and the client's slot, which decides what differs between
 * clients.
 */
interface SessionPlace {
  readonly endpoint: number;
  readonly slot: number;
}

/** Makes the channel of one session; `events` may be called from the moment of `open()`. */
export type ChannelFactory = (
  profile: ProfileRuntime,
  place: SessionPlace,
  events: ChannelEvents,
  listener: StreamListener | undefined,
) => Channel;

/** A profile as an engine thread uses it: compiled, with the counters its channels share. */
export class ProfileRuntime {
  readonly rules: SessionRules;
  readonly maxInFlight: number;
  readonly misbehaves: boolean;
  readonly counters: WireCounters = createWireCounters();
  /** Number of the operation that publishes; -1: none does. */
  readonly stamped: number;
  /** Numbers of the operations that subscribe: made as a session opens, never chosen from the mix. */
  readonly subscriptions: readonly number[];
  private readonly weights: readonly number[];

  constructor(
    readonly index: number,
    readonly plan: ProfilePlan,
    readonly templates: readonly RequestTemplate[],
  ) {
    this.rules = sessionRules(plan);
    this.misbehaves = Object.keys(plan.misbehave).length > 0;
    this.maxInFlight = Math.min(plan.maxInFlight, plan.connections * plan.pipeline);
    this.stamped = plan.operations.findIndex((operation) => operation.stamped === true);
    this.subscriptions = plan.operations.flatMap(({ method }, operation) =>
      method === 'resources/subscribe' ? [operation] : [],
    );
    this.weights = plan.operations.map((operation) => operation.weight);
  }

  /** Which operation of the mix this draw performs. */
  operation(draw: Draw): number {
    return this.weights.length === 1 ? 0 : chooseOperation(this.weights, draw);
  }

  operationName(operation: number): string {
    return this.plan.operations[operation]?.name ?? '';
  }
}
