import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import { type SessionRules, sessionRules } from '../load/session-rules.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import { chooseOperation, type Draw } from '../mcp/draw.js';
import type { Channel, ChannelEvents, StreamListener, WireCounters } from '../transport/channel.js';
import { createWireCounters } from '../transport/shared.js';

/**
 * Makes the channel of one session: to the endpoint with this number, for the client in this slot, which decides how
 * one client differs from another. `events` may be called from the moment of `open()`.
 */
export type ChannelFactory = (
  profile: ProfileRuntime,
  session: { readonly endpoint: number; readonly slot: number },
  events: ChannelEvents,
  listener: StreamListener | undefined,
) => Channel;

/** A profile as an engine thread uses it: compiled, with the counters that its channels share. */
export class ProfileRuntime {
  readonly rules: SessionRules;
  readonly maxInFlight: number;
  readonly misbehaves: boolean;
  /** Whether it can be told what we add to its times. */
  readonly ownShareKnown: boolean;
  readonly counters: WireCounters = createWireCounters();
  /** Number of the operation that publishes; -1: none does. */
  readonly stamped: number;
  /** Numbers of the operations that subscribe: they are made as a session opens, never chosen from the mix. */
  readonly subscriptions: readonly number[];
  private readonly weights: readonly number[];

  constructor(
    readonly index: number,
    readonly plan: ProfilePlan,
    readonly templates: readonly RequestTemplate[],
    clockKnown: boolean,
  ) {
    // What an SDK does between socket and answer cannot be told from what we do.
    this.ownShareKnown = clockKnown && plan.transport !== 'sdk';
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
