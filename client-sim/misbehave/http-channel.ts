import type { Failure } from '../measure/failure.js';
import { renderRequest } from '../mcp/compile-request.js';
import { LAST_ID } from '../mcp/digits.js';
import type { Draw } from '../mcp/draw.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import type { Channel, ChannelConfig, ChannelEvents } from '../transport/channel.js';
import type { WireShared } from '../transport/shared.js';
import type { HttpChannel } from '../transport/streamable-http/http-channel.js';
import { createStreamableHttp } from '../transport/streamable-http.js';
import { drawDeed, type Deed } from './deed.js';
import { Offence } from './offence.js';

/** A profile that sends only proper requests gets the plain channel: it must not pay for others' misdeeds. */
export function createHttpChannel(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  const { abort, malformed } = config;
  return abort === undefined && malformed === undefined ? createStreamableHttp(config, events, shared) : new MisbehavingHttp(config, events, shared);
}

/** A session over Streamable HTTP of whose operations some are aborted or malformed, each on a connection of its own. */
class MisbehavingHttp implements Channel, ChannelEvents {
  readonly #config: ChannelConfig;
  readonly #events: ChannelEvents;
  readonly #shared: WireShared;
  readonly #inner: HttpChannel;
  /** By ticket. */
  readonly #offences = new Map<number, Offence>();
  /** From the far end, where the session's own requests do not come. */
  #nextId = LAST_ID;

  constructor(config: ChannelConfig, events: ChannelEvents, shared: WireShared) {
    this.#config = config;
    this.#events = events;
    this.#shared = shared;
    this.#inner = createStreamableHttp(config, this, shared);
  }

  get room(): number {
    return this.#inner.room;
  }

  open(): void {
    this.#inner.open();
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const deed = drawDeed(this.#config, draw);
    if (deed === undefined) this.#inner.send(template, draw, ticket);
    else this.#offend(deed, template, draw, ticket);
  }

  flush(): void {
    this.#inner.flush();
  }

  abandon(ticket: number): void {
    const offence = this.#offences.get(ticket);
    if (offence === undefined) return this.#inner.abandon(ticket);
    this.#offences.delete(ticket);
    offence.cancel();
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    this.#giveUp({ category: 'aborted_by_us', detail: 'the session was closed while this request was in flight' });
    this.#inner.close(how);
  }

  breakOff(): void {
    this.#giveUp({ category: 'aborted_by_us', detail: 'the connection was broken off on purpose while this request was in flight' });
    this.#inner.breakOff();
  }

  destroy(): void {
    for (const offence of this.#offences.values()) offence.cancel();
    this.#offences.clear();
    this.#inner.destroy();
  }

  onOpen(connectMs: number): void {
    this.#events.onOpen(connectMs);
  }

  onOpenFailed(failure: Failure): void {
    this.#events.onOpenFailed(failure);
  }

  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica?: number): void {
    this.#events.onAnswer(ticket, nowMs, failure, replica);
  }

  onControlAnswer(replica: number, unknown: boolean): void {
    this.#events.onControlAnswer?.(replica, unknown);
  }

  onRoom(): void {
    this.#events.onRoom();
  }

  onClosed(reason: 'closed' | 'lost'): void {
    this.#giveUp({ category: 'session_lost', detail: 'the session was lost while this request was in flight' });
    this.#events.onClosed(reason);
  }

  #offend(deed: Deed, template: RequestTemplate, draw: Draw, ticket: number): void {
    const { endpoint, pinned, malformed } = this.#config;
    const id = this.#nextId--;
    const offence = new Offence({
      deed,
      proper: {
        endpoint, era: pinned.era, id, body: renderRequest(template, id, draw),
        kind: { verb: 'POST', method: template.method, name: template.nameHeader, ...this.#inner.settled() },
      },
      oversizeBytes: malformed?.oversizeBytes ?? 0,
      pace: this.#config,
      memory: this.#inner.memory,
      shared: this.#shared,
      done: (failure) => {
        this.#offences.delete(ticket);
        this.#events.onAnswer(ticket, this.#shared.now(), failure);
      },
    });
    this.#offences.set(ticket, offence);
    offence.begin();
  }

  #giveUp(failure: Failure): void {
    const tickets = [...this.#offences.keys()];
    for (const offence of this.#offences.values()) offence.cancel();
    this.#offences.clear();
    for (const ticket of tickets) this.#events.onAnswer(ticket, this.#shared.now(), failure);
  }
}
