import { drawMisbehaviour, type MisbehaviourKind } from '../load/draw-misbehaviour.js';
import { type RequestTemplate, renderRequest } from '../mcp/compile-request.js';
import type { Draw } from '../mcp/draw.js';
import type { Failure } from '../measure/failure.js';
import type { Channel, ChannelConfig, ChannelEvents } from '../transport/channel.js';
import { kindOf } from '../transport/request-head.js';
import { CLOSED_IN_FLIGHT, DISCONNECTED_IN_FLIGHT, LOST_IN_FLIGHT } from '../transport/session-problems.js';
import type { ProfileShared } from '../transport/shared.js';
import type { Misbehaviour, MisbehaviourOptions } from './misbehaviour.js';

/** A channel for proper requests, and a factory for misbehaviour beside it. */
export interface MisbehavingChannelParts {
  readonly inner: Channel;
  newMisbehaviour(options: MisbehaviourOptions): Misbehaviour;
}

/** A session in which some operations are aborted or malformed, each on a connection of its own. */
export class MisbehavingChannel implements Channel, ChannelEvents {
  private readonly inner: Channel;
  private readonly newMisbehaviour: MisbehavingChannelParts['newMisbehaviour'];
  /** By ticket. */
  private readonly misbehaviours = new Map<number, Misbehaviour>();

  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: ProfileShared,
    make: (own: ChannelEvents) => MisbehavingChannelParts,
  ) {
    const { inner, newMisbehaviour } = make(this);
    this.inner = inner;
    this.newMisbehaviour = newMisbehaviour;
  }

  get room(): number {
    return this.inner.room;
  }

  open(): void {
    this.inner.open();
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const misbehaviourKind = drawMisbehaviour(this.config, draw);
    if (misbehaviourKind === undefined) this.inner.send(template, draw, ticket);
    else this.misbehave(misbehaviourKind, template, draw, ticket);
  }

  flush(): void {
    this.inner.flush();
  }

  abandon(ticket: number): void {
    const misbehaviour = this.misbehaviours.get(ticket);
    if (misbehaviour === undefined) return this.inner.abandon(ticket);
    this.misbehaviours.delete(ticket);
    misbehaviour.cancel();
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    this.failAll(CLOSED_IN_FLIGHT);
    this.inner.close(how);
  }

  disconnect(): void {
    this.failAll(DISCONNECTED_IN_FLIGHT);
    this.inner.disconnect?.();
  }

  destroy(): void {
    for (const misbehaviour of this.misbehaviours.values()) misbehaviour.cancel();
    this.misbehaviours.clear();
    this.inner.destroy();
  }

  onOpen(connectMs: number): void {
    this.events.onOpen(connectMs);
  }

  onOpenFailed(failure: Failure): void {
    this.events.onOpenFailed(failure);
  }

  onReadStart(nowMs: number): void {
    this.events.onReadStart?.(nowMs);
  }

  onReadEnd(): void {
    this.events.onReadEnd?.();
  }

  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica?: number): void {
    this.events.onAnswer(ticket, nowMs, failure, replica);
  }

  onControlAnswer(replica: number, unknown: boolean): void {
    this.events.onControlAnswer?.(replica, unknown);
  }

  onLeft(tickets: readonly number[], heldUpMs: number): void {
    this.events.onLeft?.(tickets, heldUpMs);
  }

  onRoom(): void {
    this.events.onRoom();
  }

  onClosed(reason: 'closed' | 'lost'): void {
    this.failAll(LOST_IN_FLIGHT);
    this.events.onClosed(reason);
  }

  private misbehave(misbehaviourKind: MisbehaviourKind, template: RequestTemplate, draw: Draw, ticket: number): void {
    const id = this.shared.misbehavingIds.take();
    // Made before its body: see `HeldClock`.
    const kind = kindOf(template, draw);
    const misbehaviour = this.newMisbehaviour({
      misbehaviourKind,
      id,
      kind,
      body: renderRequest(template, id, draw),
      done: (failure) => {
        this.misbehaviours.delete(ticket);
        this.events.onAnswer(ticket, this.shared.now(), failure);
      },
    });
    this.misbehaviours.set(ticket, misbehaviour);
    misbehaviour.begin();
  }

  private failAll(failure: Failure): void {
    const tickets = [...this.misbehaviours.keys()];
    for (const misbehaviour of this.misbehaviours.values()) misbehaviour.cancel();
    this.misbehaviours.clear();
    for (const ticket of tickets) this.events.onAnswer(ticket, this.shared.now(), failure);
  }
}
