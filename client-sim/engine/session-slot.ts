import type { Failure } from '../measure/failure.js';
import type { Channel, ChannelEvents, StreamListener } from '../transport/channel.js';
import type { Backoff } from './backoff.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import { SessionCounters } from './session-counters.js';
import { SlotClients } from './slot-clients.js';
import { TicketBlock } from './ticket-table.js';
import type { VirtualClient } from './virtual-client.js';

/**
 * A handshake is several requests; the channel has its own timeout for each. This one only catches a channel that
 * hangs.
 */
const OPEN_SLACK_MS = 1_000;
const LONGEST_GOODBYE_MS = 5_000;

/**
 * A place for one session at a time, opened again as long as somebody wants it: the life cycle behind reuse, pool,
 * churn and per-request, in both eras (stateless: a session is its set of connections).
 */
export class SessionSlot {
  state: SessionSlotState = 'idle';
  dirty = false;
  /** Run time at which the session was opened. */
  openedAtMs = -Infinity;
  readonly profile: ProfileRuntime;
  private readonly id: number;
  private readonly endpoint: number;
  private readonly slot: number;
  private readonly listener: StreamListener | undefined;
  private readonly backoff: Backoff;
  readonly clients: SlotClients;
  private channel: Channel | undefined;
  private readonly tickets: TicketBlock;
  private readonly counters: SessionCounters;
  /** The replica behind the endpoint, where that is one; else 0. */
  readonly endpointReplica: number;
  /** -1: no end of them. */
  private operationsLeft = -1;

  constructor(
    private readonly scheduler: Scheduler,
    options: SessionSlotOptions,
  ) {
    this.profile = options.profile;
    this.id = options.id;
    this.endpoint = options.endpoint;
    this.slot = options.slot;
    this.listener = options.listener;
    this.backoff = options.backoff;
    this.tickets = new TicketBlock(scheduler.tickets, options.id, options.profile.rules.capacity);
    this.counters = new SessionCounters(scheduler, options.profile);
    this.endpointReplica = scheduler.endpointReplicaOf(options.profile, options.endpoint);
    this.clients = new SlotClients(scheduler);
  }

  get inFlight(): number {
    return this.tickets.inFlight;
  }

  /** How many requests can be sent now. */
  get room(): number {
    if (this.state !== 'open' || this.channel === undefined) return 0;
    const room = Math.min(this.tickets.left, this.channel.room);
    return this.operationsLeft > 0 && this.operationsLeft < room ? this.operationsLeft : room;
  }

  /** There is a session, be it without room: what waits here waits for the target, not for a session. */
  get hasSession(): boolean {
    return this.state === 'open' || this.state === 'ending' || this.state === 'closing';
  }

  /** On its way to a session that somebody will use. */
  get expected(): boolean {
    return this.state === 'queued' || this.state === 'opening';
  }

  want(): void {
    this.clients.wanted++;
    if (this.state === 'idle') this.request();
  }

  /** Per request: wanted for one session only. Precondition: `idle`. */
  openOnce(): void {
    this.clients.wanted = 1;
    this.request();
  }

  unwant(): void {
    this.clients.wanted--;
    if (this.clients.wanted > 0) return;
    if (this.state === 'open') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.becomeIdle();
  }

  /** Called by the gate when it is this lane's turn. */
  start(): void {
    this.state = 'opening';
    this.counters.affinity.begin();
    this.scheduler.sessionSlotWakes.set(this.id, this.scheduler.nowMs + this.profile.plan.timeoutMs + OPEN_SLACK_MS);
    this.channel = this.scheduler.createChannel(
      this.profile,
      { endpoint: this.endpoint, slot: this.slot },
      new SessionSlotEvents(this, this.scheduler),
      this.listener,
    );
    this.channel.open();
  }

  /** The time set in `sessionSlotWakes` has come. */
  wake(): void {
    switch (this.state) {
      case 'opening':
        this.refused({ category: 'timeout', detail: `no session within ${this.profile.plan.timeoutMs} ms` });
        return;
      case 'backoff':
        this.becomeIdle();
        if (this.clients.wanted > 0) this.request();
        this.clients.markRunnable();
        return;
      case 'open':
        this.end();
        return;
      case 'closing':
        this.gone();
        return;
      case 'idle':
      case 'queued':
      case 'ending':
        return;
    }
  }

  /**
   * A free ticket's row in the ticket table. Precondition: `room`. What is sent leaves when the floor flushes what was
   * soiled.
   */
  takeRow(): number {
    if (this.operationsLeft > 0 && --this.operationsLeft === 0) this.state = 'ending';
    return this.tickets.take();
  }

  send(
    row: number,
    operation: number,
    draw: { readonly seed: number; readonly slot: number; readonly sequence: number },
  ): void {
    const template = this.profile.templates[operation];
    if (template === undefined) throw new RangeError(`profile ${this.profile.plan.name} has no operation ${operation}`);
    this.channel?.send(template, draw, this.tickets.ticketOf(row));
  }

  flush(): void {
    this.channel?.flush();
  }

  /** Nobody waits for this row any more. The caller has counted it. */
  abandon(row: number): void {
    this.channel?.abandon(this.tickets.ticketOf(row));
    this.release(row, true);
  }

  /** Loses its connections on purpose, now: see `ReconnectPlan.session`. @returns whether there were any to lose */
  breakOff(session: 'keep' | 'new'): boolean {
    if (this.state !== 'open') return false;
    if (session === 'keep') this.channel?.breakOff?.();
    else this.close('abandon');
    return true;
  }

  /** The run is over: no more requests, then goodbye. */
  finish(): void {
    this.clients.wanted = 0;
    if (this.state === 'open' || this.state === 'ending') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.becomeIdle();
  }

  /** Cuts whatever there is; a session that was open counts as closed. */
  destroy(): void {
    this.clients.wanted = 0;
    if (this.state === 'opening') {
      this.channel?.destroy();
      this.scheduler.openLimiter.release();
      this.becomeIdle();
    } else if (this.hasSession) this.gone();
    else this.becomeIdle();
  }

  // ---- what the channel reports, see `SessionSlotEvents` ----

  opened(connectMs: number): void {
    if (this.state !== 'opening') return;
    this.counters.opened(connectMs);
    this.state = 'open';
    this.openedAtMs = this.scheduler.nowMs;
    const { operations, ageMs } = this.profile.rules;
    this.operationsLeft = Number.isFinite(operations) ? operations : -1;
    this.scheduler.sessionSlotWakes.set(this.id, this.scheduler.nowMs + ageMs);
    this.scheduler.openLimiter.release();
    if (this.clients.wanted > 0) this.offerRoom();
    else this.end();
  }

  openFailed(failure: Failure): void {
    if (this.state === 'opening') this.refused(failure);
  }

  controlAnswered(replica: number, unknown: boolean): void {
    this.counters.affinity.answered(replica);
    if (unknown) this.counters.affinity.unknown();
  }

  /** @param replica number of the one that answered; 0: not known, or none has */
  answered(ticket: number, failure: Failure | undefined, replica: number): void {
    const scheduler = this.scheduler;
    const by = replica > 0 ? replica : this.endpointReplica;
    const row = this.tickets.rowOf(ticket);
    const client = scheduler.clients[scheduler.tickets.client[row] as number] as VirtualClient;
    if (failure === undefined) {
      this.backoff.succeeded();
      this.counters.answered();
    }
    // What was never answered is charged to the endpoint's replica, but tells nothing of where the session is.
    if (replica > 0 || failure === undefined) this.counters.affinity.answered(by);
    client.answered(row, failure, by);
    this.release(row, false);
    // A connection of an open session could not be made again: to what waits that is no other than a refused session.
    if (failure !== undefined && failure.category === 'connect' && this.state === 'open' && this.room === 0)
      client.refused(failure, this.endpointReplica);
  }

  /** Room may have grown. */
  offerRoom(): void {
    this.clients.offerRoom(this.channel?.room ?? 0, this.profile.plan.session.mode === 'pool');
  }

  closed(reason: 'closed' | 'lost'): void {
    if (!this.hasSession) return;
    if (reason === 'lost') this.counters.lost();
    else this.counters.closed();
    // A server that loses each session before its first answer would be asked for a new one without pause.
    const lostUnanswered = reason === 'lost' && !this.counters.everAnswered;
    this.channel?.destroy();
    this.reopen(lostUnanswered);
  }

  // ---- transitions ----

  private request(): void {
    if (!this.scheduler.running) return;
    this.state = 'queued';
    this.scheduler.openLimiter.enqueue(this);
  }

  private becomeIdle(): void {
    this.state = 'idle';
    if (this.profile.rules.onDemand) this.clients.wanted = 0;
    this.channel = undefined;
    this.scheduler.sessionSlotWakes.set(this.id, Infinity);
  }

  private refused(failure: Failure): void {
    this.counters.refused(failure);
    this.channel?.destroy();
    this.channel = undefined;
    if (this.clients.wanted > 0) this.pause();
    else this.becomeIdle();
    this.scheduler.openLimiter.release();
    this.clients.refuse(failure, this.endpointReplica);
  }

  private pause(): void {
    this.backoff.failed(this.scheduler.nowMs);
    this.state = 'backoff';
    this.scheduler.sessionSlotWakes.set(this.id, this.backoff.untilMs);
  }

  private end(): void {
    this.state = 'ending';
    this.scheduler.sessionSlotWakes.set(this.id, Infinity);
    if (this.inFlight === 0) this.close();
  }

  private close(how = this.profile.plan.onClose): void {
    this.state = 'closing';
    this.scheduler.sessionSlotWakes.set(
      this.id,
      this.scheduler.nowMs + Math.min(this.profile.plan.timeoutMs, LONGEST_GOODBYE_MS),
    );
    this.channel?.close(how);
  }

  private gone(): void {
    this.channel?.destroy();
    this.counters.closed();
    this.reopen(false);
  }

  private reopen(afterPause: boolean): void {
    this.becomeIdle();
    if (afterPause) this.pause();
    else if (this.clients.wanted > 0) this.request();
    this.clients.markRunnable();
  }

  private release(row: number, abandoned: boolean): void {
    this.tickets.give(row);
    if (this.state === 'ending' && this.inFlight === 0) this.close();
    else if (!abandoned && this.clients.queue.contended) this.clients.queue.grantNext();
  }
}

/**
 * idle: no session, none wanted · queued: waits for the gate · opening: handshake under way · open: takes requests ·
 * ending: takes no more, waits for the answers in flight · closing: saying goodbye · backoff: the last attempt failed
 */
type SessionSlotState = 'idle' | 'queued' | 'opening' | 'open' | 'ending' | 'closing' | 'backoff';

interface SessionSlotOptions {
  readonly id: number;
  readonly profile: ProfileRuntime;
  readonly endpoint: number;
  /** Of the client; of a pooled session, of the first client that shares it. */
  readonly slot: number;
  /** Shared by the lanes of one client, so that a refused client backs off as a whole. */
  readonly backoff: Backoff;
  /** Hears what the server says by itself, in session after session. */
  readonly listener: StreamListener | undefined;
}

/**
 * What a lane's channel reports, each as a turn of the floor: clients it touches are served, and what they send is
 * flushed, when the turn ends.
 */
class SessionSlotEvents implements ChannelEvents {
  constructor(
    private readonly sessionSlot: SessionSlot,
    private readonly scheduler: Scheduler,
  ) {}

  // One turn for all that a read brought: its answers are booked first, then each client is served once. A turn for
  // each answer took a third of the engine's own time (measured, 16 in flight: 990 ns an operation, so 670).
  onReadStart(nowMs: number): void {
    this.scheduler.beginTurn(nowMs);
  }

  onReadOver(): void {
    this.scheduler.endTurn();
  }

  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica = 0): void {
    this.scheduler.beginTurn(nowMs);
    this.sessionSlot.answered(ticket, failure, replica);
    this.scheduler.endTurn();
  }

  onOpen(connectMs: number): void {
    this.scheduler.beginTurn();
    this.sessionSlot.opened(connectMs);
    this.scheduler.endTurn();
  }

  onOpenFailed(failure: Failure): void {
    this.scheduler.beginTurn();
    this.sessionSlot.openFailed(failure);
    this.scheduler.endTurn();
  }

  onControlAnswer(replica: number, unknown: boolean): void {
    this.sessionSlot.controlAnswered(replica, unknown);
  }

  onRoom(): void {
    this.scheduler.beginTurn();
    this.sessionSlot.offerRoom();
    this.scheduler.endTurn();
  }

  onClosed(reason: 'closed' | 'lost'): void {
    this.scheduler.beginTurn();
    this.sessionSlot.closed(reason);
    this.scheduler.endTurn();
  }
}
