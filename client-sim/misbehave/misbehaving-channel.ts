import { renderRequest } from '../mcp/compile-request.js';
import { LAST_ID } from '../mcp/digits.js';
import type { Draw } from '../mcp/draw.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import type { Failure } from '../measure/failure.js';
import type { Channel, ChannelConfig, ChannelEvents } from '../transport/channel.js';
import { kindOf, type RequestKind } from '../transport/request-head.js';
import type { WireShared } from '../transport/shared.js';
import { type Deed, drawDeed } from './deed.js';

/** One misdeed on its way. */
export interface Offence {
  begin(): void;
  /** Nobody waits for it any more; `done` is not called. */
  cancel(): void;
}

export interface OffenceOptions {
  readonly deed: Deed;
  /** JSON-RPC id of the request, and the message as it should be. */
  readonly id: number;
  readonly body: string;
  /** What its HTTP request says of it. */
  readonly kind: RequestKind;
  /** Called once, never within `begin`. Undefined: the server answered with a result, as if nothing were wrong. */
  readonly done: (failure: Failure | undefined) => void;
}

/** A channel for proper requests, and how misdeeds are done beside it. */
export interface Misbehaving {
  readonly inner: Channel;
  newOffence(options: OffenceOptions): Offence;
}

/** A session of whose operations some are aborted or malformed, each on a connection of its own. */
export class MisbehavingChannel implements Channel, ChannelEvents {
  private readonly inner: Channel;
  private readonly newOffence: Misbehaving['newOffence'];
  /** By ticket. */
  private readonly offences = new Map<number, Offence>();
  /** From the far end, where the session's own requests do not come. */
  private nextId = LAST_ID;

  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: WireShared,
    make: (own: ChannelEvents) => Misbehaving,
  ) {
    const { inner, newOffence } = make(this);
    this.inner = inner;
    this.newOffence = newOffence;
  }

  get room(): number {
    return this.inner.room;
  }

  open(): void {
    this.inner.open();
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const deed = drawDeed(this.config, draw);
    if (deed === undefined) this.inner.send(template, draw, ticket);
    else this.offend(deed, template, draw, ticket);
  }

  flush(): void {
    this.inner.flush();
  }

  abandon(ticket: number): void {
    const offence = this.offences.get(ticket);
    if (offence === undefined) return this.inner.abandon(ticket);
    this.offences.delete(ticket);
    offence.cancel();
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    this.giveUp({ category: 'aborted_by_us', detail: 'the session was closed while this request was in flight' });
    this.inner.close(how);
  }

  breakOff(): void {
    this.giveUp({
      category: 'aborted_by_us',
      detail: 'the connection was broken off on purpose while this request was in flight',
    });
    this.inner.breakOff?.();
  }

  destroy(): void {
    for (const offence of this.offences.values()) offence.cancel();
    this.offences.clear();
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

  onReadOver(): void {
    this.events.onReadOver?.();
  }

  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica?: number): void {
    this.events.onAnswer(ticket, nowMs, failure, replica);
  }

  onControlAnswer(replica: number, unknown: boolean): void {
    this.events.onControlAnswer?.(replica, unknown);
  }

  onRoom(): void {
    this.events.onRoom();
  }

  onClosed(reason: 'closed' | 'lost'): void {
    this.giveUp({ category: 'session_lost', detail: 'the session was lost while this request was in flight' });
    this.events.onClosed(reason);
  }

  private offend(deed: Deed, template: RequestTemplate, draw: Draw, ticket: number): void {
    const id = this.nextId--;
    // Before its body: see `HeldClock`.
    const kind = kindOf(template, draw);
    const offence = this.newOffence({
      deed,
      id,
      kind,
      body: renderRequest(template, id, draw),
      done: (failure) => {
        this.offences.delete(ticket);
        this.events.onAnswer(ticket, this.shared.now(), failure);
      },
    });
    this.offences.set(ticket, offence);
    offence.begin();
  }

  private giveUp(failure: Failure): void {
    const tickets = [...this.offences.keys()];
    for (const offence of this.offences.values()) offence.cancel();
    this.offences.clear();
    for (const ticket of tickets) this.events.onAnswer(ticket, this.shared.now(), failure);
  }
}
