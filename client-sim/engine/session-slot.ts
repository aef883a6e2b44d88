import type { Failure } from '../measure/failure.js';
import type { Channel, ChannelEvents, StreamListener } from '../transport/channel.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import type { SessionBackoff } from './session-backoff.js';
import { SessionCounters } from './session-counters.js';
import { type SlotClient, SlotClients } from './slot-clients.js';
import { TicketBlock } from './ticket-table.js';

/**
 * A handshake is several requests, and the channel has its own timeout for each. This one only catches a channel that
 * hangs.
 */
const OPEN_SLACK_MS = 1_000;
const MAX_CLOSING_MS = 5_000;

/**
 * idle: no session, none wanted · queued: waits for the open limiter · opening: handshake in progress · open: takes
 * requests · ending: takes no more, waits for the answers in flight · closing: the channel ends the session ·
 * backoff: the last attempt failed
 */
type SessionSlotState = 'idle' | 'queued' | 'opening' | 'open' | 'ending' | 'closing' | 'backoff';

interface SessionSlotOptions {
  readonly id: number;
  readonly profile: ProfileRuntime;
  readonly endpoint: number;
  /** Slot number of the client; of a pooled session, of the first client that shares it. */
  readonly slot: number;
  /** All clients of the thread by number. The array grows while the run goes on. */
  readonly clientsById: readonly SlotClient[];
  /** Shared by all session slots of a client, so that a refused client backs off as a whole. */
  readonly backoff: SessionBackoff;
  /** Receives what the server sends on its own, in session after session. */
  readonly listener: StreamListener | undefined;
}

/**
 * Holds one session at a time and opens it again as long as a client wants it: the life cycle behind reuse, pool, churn
 * and per-request, in both eras (in the stateless era a session is its set of connections).
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
  private readonly backoff: SessionBackoff;
  /** The clients that use this slot. */
  readonly clients: SlotClients;
  private readonly clientsById: readonly SlotClient[];
  private channel: Channel | undefined;
  private readonly tickets: TicketBlock;
  private readonly counters: SessionCounters;
  /** Number of the replica behind the endpoint; 0 where there is not exactly one. */
  readonly endpointReplica: number;
  /** -1: no limit. */
  private operationsLeft = -1;
  /** `OwnShare.blindMs` when the session was asked for. */
  private blindMs = 0;

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
    this.clientsById = options.clientsById;
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

  /** See `Channel.serverWords`. */
  get serverWords(): string {
    return this.channel?.serverWords ?? '';
  }

  /** There is a session, even if it has no room: operations that wait then wait for the target, not for a session. */
  get hasSession(): boolean {
    return this.state === 'open' || this.state === 'ending' || this.state === 'closing';
  }

  /** There is no session yet, but one is on its way. */
  get isPending(): boolean {
    return this.state === 'queued' || this.state === 'opening';
  }

  // ---- for the clients ----

  /** One more client wants the session. */
  acquire(): void {
    this.clients.wanted++;
    if (this.state === 'idle') this.request();
  }

  /** Mode `per-request`: the session is wanted for one operation only. Precondition: `idle`. */
  openOnce(): void {
    this.clients.wanted = 1;
    this.request();
  }

  /** One client less wants the session. */
  release(): void {
    this.clients.wanted--;
    if (this.clients.wanted > 0) return;
    if (this.state === 'open') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.becomeIdle();
  }

  /** A free row in the ticket table. Precondition: `room`. What is sent leaves when the scheduler flushes this slot. */
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

  /** Loses its connections on purpose, now: see `ReconnectPlan.session`. @returns false when it has none to lose */
  disconnect(session: 'keep' | 'new'): boolean {
    if (this.state !== 'open') return false;
    if (session === 'keep') this.channel?.disconnect?.();
    else this.close('abandon');
    return true;
  }

  // ---- for the scheduler and the engine ----

  /** Called by the open limiter when it is this slot's turn. */
  start(): void {
    this.state = 'opening';
    this.counters.affinity.begin();
    this.channel = this.scheduler.createChannel(
      this.profile,
      { endpoint: this.endpoint, slot: this.slot },
      new SessionSlotEvents(this, this.scheduler),
      this.listener,
    );
    this.wakeAtOpenTimeout();
    this.channel.open();
  }

  flush(): void {
    this.channel?.flush();
  }

  /** The time set in `sessionSlotWakes` has come. */
  wake(): void {
    switch (this.state) {
      case 'opening':
        this.failOpening({
          category: 'timeout',
          detail: `no session within ${this.openTimeoutMs} ms${this.serverWords}`,
        });
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
        this.forceClosed();
        return;
      case 'idle':
      case 'queued':
      case 'ending':
        return;
    }
  }

  /** The answer to this row is no longer awaited. The caller has counted it. */
  abandon(row: number): void {
    this.channel?.abandon(this.tickets.ticketOf(row));
    this.releaseRow(row, true);
  }

  /** The run starts earlier, so that the time at hand is later by that much. */
  moveStart(earlierMs: number): void {
    if (this.state === 'opening') this.wakeAtOpenTimeout();
    else if (this.state === 'backoff') {
      this.backoff.moveStart(earlierMs);
      this.scheduler.sessionSlotWakes.set(this.id, this.backoff.untilMs);
    }
  }

  /** The run is over: takes no more requests and ends the session. */
  finish(): void {
    this.clients.wanted = 0;
    if (this.state === 'open' || this.state === 'ending') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.becomeIdle();
  }

  /** Cuts everything at once. A session that was open counts as closed. */
  destroy(): void {
    this.clients.wanted = 0;
    if (this.state === 'opening') {
      this.channel?.destroy();
      this.scheduler.openLimiter.release();
      this.becomeIdle();
    } else if (this.hasSession) this.forceClosed();
    else this.becomeIdle();
  }

  // ---- for the channel, see `SessionSlotEvents` ----

  opened(connectMs: number): void {
    if (this.state !== 'opening') return;
    this.counters.opened(connectMs);
    this.state = 'open';
    // A handshake is several answers, each of which we may have read late.
    this.scheduler.roomLateMs = Math.max(this.scheduler.roomLateMs, this.scheduler.own.blindMs - this.blindMs);
    // A session that was opened before the run begins to age with it.
    this.openedAtMs = Math.max(0, this.scheduler.nowMs);
    const { operations, ageMs } = this.profile.rules;
    this.operationsLeft = Number.isFinite(operations) ? operations : -1;
    this.scheduler.sessionSlotWakes.set(this.id, this.openedAtMs + ageMs);
    this.scheduler.openLimiter.release();
    if (this.clients.wanted > 0) this.offerRoom();
    else this.end();
  }

  openFailed(failure: Failure): void {
    if (this.state === 'opening') this.failOpening(failure);
  }

  controlAnswered(replica: number, unknown: boolean): void {
    this.counters.affinity.answered(replica);
    if (unknown) this.counters.affinity.unknown();
  }

  /** @param replica number of the replica that answered; 0: not known, or there was no answer */
  answered(ticket: number, failure: Failure | undefined, replica: number): void {
    const by = replica > 0 ? replica : this.endpointReplica;
    const row = this.tickets.rowOf(ticket);
    const client = this.clientsById[this.scheduler.tickets.client[row] as number] as SlotClient;
    if (failure === undefined) {
      this.backoff.succeeded();
      this.counters.answered();
    }
    // An operation without an answer is charged to the endpoint's replica, but does not show where the session is.
    if (replica > 0 || failure === undefined) this.counters.affinity.answered(by);
    client.answered(row, failure, by);
    this.releaseRow(row, false);
    // A connection of an open session could not be made again: for what waits here, that is a refused session.
    if (failure !== undefined && isUnconnected(failure) && this.state === 'open' && this.room === 0)
      client.refused(failure, this.endpointReplica);
  }

  /** These requests leave only now: their connection was not there before. */
  left(tickets: readonly number[], heldUpMs: number): void {
    const { scheduler } = this;
    const nowMs = scheduler.readClock();
    const upMs = scheduler.sinceMs - heldUpMs;
    for (const ticket of tickets) scheduler.tickets.markLeft(this.tickets.rowOf(ticket), upMs, nowMs);
  }

  /** Room may have grown. */
  offerRoom(): void {
    this.clients.offerRoom(this.channel?.room ?? 0, this.profile.plan.session.mode === 'pool');
  }

  closed(reason: 'closed' | 'lost'): void {
    if (!this.hasSession) return;
    if (reason === 'lost') this.counters.lost();
    else this.counters.closed();
    // Without a pause, a server that loses each session before its first answer would be asked for a new one endlessly.
    const lostUnanswered = reason === 'lost' && !this.counters.everAnswered;
    this.channel?.destroy();
    this.reopen(lostUnanswered);
  }

  // ---- transitions ----

  private get openTimeoutMs(): number {
    return this.channel?.openTimeoutMs ?? this.profile.plan.timeoutMs;
  }

  private wakeAtOpenTimeout(): void {
    this.scheduler.sessionSlotWakes.set(this.id, this.scheduler.nowMs + this.openTimeoutMs + OPEN_SLACK_MS);
  }

  private request(): void {
    if (!this.scheduler.running) return;
    this.state = 'queued';
    this.blindMs = this.scheduler.own.blindMs;
    this.scheduler.openLimiter.enqueue(this);
  }

  private becomeIdle(): void {
    this.state = 'idle';
    if (this.profile.rules.onDemand) this.clients.wanted = 0;
    this.channel = undefined;
    this.scheduler.sessionSlotWakes.set(this.id, Infinity);
  }

  private failOpening(failure: Failure): void {
    this.counters.refused(failure);
    this.channel?.destroy();
    this.channel = undefined;
    if (this.clients.wanted > 0) this.backOff();
    else this.becomeIdle();
    this.scheduler.openLimiter.release();
    this.clients.refuse(failure, this.endpointReplica);
  }

  private backOff(): void {
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
      this.scheduler.nowMs + Math.min(this.profile.plan.timeoutMs, MAX_CLOSING_MS),
    );
    this.channel?.close(how);
  }

  /** The channel is not waited for: the session counts as closed. */
  private forceClosed(): void {
    this.channel?.destroy();
    this.counters.closed();
    this.reopen(false);
  }

  private reopen(afterPause: boolean): void {
    this.becomeIdle();
    if (afterPause) this.backOff();
    else if (this.clients.wanted > 0) this.request();
    this.clients.markRunnable();
  }

  private releaseRow(row: number, abandoned: boolean): void {
    this.tickets.release(row);
    if (this.state === 'ending' && this.inFlight === 0) this.close();
    else if (!abandoned && this.clients.contended) this.clients.grantNext();
  }
}

function isUnconnected({ category }: Failure): boolean {
  return category === 'connect' || category === 'exhausted_by_us';
}

/**
 * Receives the events of a slot's channel. Each event is a turn of the scheduler: when the turn ends, the clients it
 * made runnable are served, and what they send is flushed.
 */
class SessionSlotEvents implements ChannelEvents {
  constructor(
    private readonly sessionSlot: SessionSlot,
    private readonly scheduler: Scheduler,
  ) {}

  // One turn for everything that a read brought: its answers are counted first, then each client is served once. A turn
  // for each answer took a third of the engine's own time (measured, 16 in flight: 990 ns per operation, now 670).
  onReadStart(nowMs: number): void {
    this.scheduler.beginTurn(nowMs);
  }

  onReadEnd(): void {
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

  onLeft(tickets: readonly number[], heldUpMs: number): void {
    this.scheduler.beginTurn();
    this.sessionSlot.left(tickets, heldUpMs);
    this.scheduler.endTurn();
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
