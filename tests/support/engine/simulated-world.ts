import type { Failure } from '../../../client-sim/measure/failure.js';
import type { Channel, ChannelEvents, StreamListener, WireCounters } from '../../../client-sim/transport/channel.js';

/** How a simulated server reacts to one request, or to one attempt to open a session. Times in milliseconds. */
export type Behaviour =
  | {
      readonly kind: 'answer';
      readonly afterMs: number;
      readonly failure?: Failure;
      /** Number of the replica that answers. */
      readonly replica?: number;
    }
  | { readonly kind: 'silence' }
  /** The session is lost: everything in flight fails with it. */
  | { readonly kind: 'lose'; readonly afterMs: number; readonly replica?: number };

/** How the stream of a session behaves. The session is lost when its stream ends. */
export interface StreamBehaviour {
  /** Undefined: never. */
  readonly subscribedAfterMs?: number;
  readonly lostAfterMs: number;
}

export interface ServerScript {
  open(attempt: number): Behaviour;
  request(number: number): Behaviour;
  /** Used if the client listens. */
  stream?(attempt: number): StreamBehaviour;
  /** Whether closing a session ever ends; it does when this is absent. */
  closes?(attempt: number): boolean;
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** Virtual time and a server without sockets, so that the laws of the engine can be checked over thousands of runs. */
export class SimulatedWorld {
  nowMs = 0;
  requests = 0;
  answered = 0;
  flushes = 0;
  /** Channels that hold a send buffer now, and the most that ever did at once. */
  holding = 0;
  maxHolding = 0;
  readonly sent: {
    readonly slot: number;
    readonly sequence: number;
    readonly operation: number;
    readonly atMs: number;
  }[] = [];
  readonly channels: SimulatedChannel[] = [];
  private events: Event[] = [];

  constructor(private readonly script: ServerScript) {}

  channel(
    events: ChannelEvents,
    capacity: number,
    counters: WireCounters,
    listener?: StreamListener,
  ): SimulatedChannel {
    const channel = new SimulatedChannel(this, this.script, events, {
      capacity,
      attempt: this.channels.length,
      counters,
      listener,
    });
    this.channels.push(channel);
    return channel;
  }

  after(delayMs: number, run: () => void): void {
    this.events.push({ atMs: this.nowMs + delayMs, run });
  }

  /** Lets time pass in steps of `stepMs` until `done`: runs the events of each step in order, then calls `pump`. */
  run(pump: () => void, done: () => boolean, stepMs: (now: number) => number): void {
    for (let steps = 0; !done(); steps++) {
      if (steps > 200_000) throw new Error(`not finished after ${this.nowMs} ms of virtual time`);
      const next = this.nowMs + stepMs(this.nowMs);
      for (;;) {
        const due = this.events.filter((event) => event.atMs <= next).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        this.events = this.events.filter((event) => event !== due);
        this.nowMs = Math.max(this.nowMs, due.atMs);
        due.run();
      }
      this.nowMs = next;
      pump();
    }
  }
}

interface SimulatedChannelOptions {
  readonly capacity: number;
  /** Number of this channel in its world. */
  readonly attempt: number;
  readonly counters: WireCounters;
  readonly listener: StreamListener | undefined;
}

/** Every request counts as this many bytes sent. */
export const REQUEST_BYTES = 100;

class SimulatedChannel implements Channel {
  opened = false;
  openedAtMs = Infinity;
  ended = false;
  /** From ticket to the number of its request: a late answer must not hit the ticket's next use. */
  private readonly inFlight = new Map<number, number>();
  private unflushed: (() => void)[] = [];

  constructor(
    private readonly world: SimulatedWorld,
    private readonly script: ServerScript,
    private readonly events: ChannelEvents,
    private readonly options: SimulatedChannelOptions,
  ) {}

  open(): void {
    const behaviour = this.script.open(this.options.attempt);
    if (behaviour.kind === 'silence') return;
    this.world.after(behaviour.afterMs, () => {
      if (this.ended) return;
      if (behaviour.kind === 'answer' && behaviour.failure !== undefined) {
        this.ended = true;
        this.events.onOpenFailed(behaviour.failure);
        return;
      }
      this.opened = true;
      if (behaviour.kind === 'answer' && behaviour.replica !== undefined)
        this.events.onControlAnswer?.(behaviour.replica, false);
      this.openedAtMs = this.world.nowMs;
      this.events.onOpen(behaviour.afterMs);
      this.options.listener?.onReady({ start: () => this.listen(), pause: () => undefined });
    });
  }

  private listen(): void {
    const { listener, attempt } = this.options;
    const behaviour = this.script.stream?.(attempt);
    if (listener === undefined || behaviour === undefined) return;
    for (const index of listener.uris.keys()) listener.onSubscribing(index);
    const later = (delayMs: number, run: () => void): void =>
      this.world.after(delayMs, () => {
        if (!this.ended) run();
      });
    const { subscribedAfterMs, lostAfterMs } = behaviour;
    if (subscribedAfterMs !== undefined)
      later(subscribedAfterMs, () => {
        for (const index of listener.uris.keys()) listener.onSubscribed(index, undefined);
      });
    later(lostAfterMs, () => {
      this.ended = true;
      listener.onSessionEnd();
      this.events.onClosed('lost');
    });
  }

  get room(): number {
    return this.opened && !this.ended ? this.options.capacity - this.inFlight.size : 0;
  }

  send(
    template: { readonly index: number },
    draw: { readonly slot: number; readonly sequence: number },
    ticket: number,
  ): void {
    if (this.room <= 0) throw new Error('sent without room');
    if (this.inFlight.has(ticket)) throw new Error(`ticket ${ticket} used twice`);
    const number = this.world.requests++;
    this.options.counters.bytesSent += REQUEST_BYTES;
    this.world.sent.push({
      slot: draw.slot,
      sequence: draw.sequence,
      operation: template.index,
      atMs: this.world.nowMs,
    });
    this.inFlight.set(ticket, number);
    if (this.unflushed.length === 0) this.world.maxHolding = Math.max(this.world.maxHolding, ++this.world.holding);
    this.unflushed.push(() => this.serve(ticket, number));
  }

  flush(): void {
    if (this.unflushed.length === 0) return;
    this.world.flushes++;
    this.world.holding--;
    const requests = this.unflushed;
    this.unflushed = [];
    for (const request of requests) request();
  }

  abandon(ticket: number): void {
    if (!this.inFlight.delete(ticket)) throw new Error(`abandoned ticket ${ticket} is not in flight`);
  }

  close(): void {
    if (this.script.closes?.(this.options.attempt) === false) return;
    this.world.after(1, () => {
      if (this.ended) return;
      this.ended = true;
      this.events.onClosed('closed');
    });
  }

  destroy(): void {
    this.ended = true;
    this.inFlight.clear();
  }

  private serve(ticket: number, number: number): void {
    const behaviour = this.script.request(number);
    if (behaviour.kind === 'silence') return;
    this.world.after(behaviour.afterMs, () => {
      if (this.ended || this.inFlight.get(ticket) !== number) return;
      if (behaviour.kind === 'lose') this.lose(ticket, behaviour.replica);
      else this.answer(ticket, behaviour.failure, behaviour.replica);
    });
  }

  /** @param first the request that is answered with `session_lost`, before the others */
  private lose(first: number, replica: number | undefined): void {
    const failure: Failure = { category: 'session_lost', detail: 'the server forgot the session' };
    this.ended = true;
    this.answer(first, failure, replica);
    for (const ticket of [...this.inFlight.keys()]) this.answer(ticket, failure);
    this.events.onClosed('lost');
  }

  private answer(ticket: number, failure: Failure | undefined, replica?: number): void {
    this.inFlight.delete(ticket);
    this.world.answered++;
    this.events.onAnswer(ticket, this.world.nowMs, failure, replica);
  }
}
