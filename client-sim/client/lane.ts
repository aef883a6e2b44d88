import type { Failure } from '../measure/failure.js';
import type { Channel } from '../transport/channel.js';
import type { StreamListener } from '../transport/stream/stream-listener.js';
import type { Backoff } from './backoff.js';
import type { Floor } from './floor.js';
import { LaneEvents } from './lane-events.js';
import type { LaneOptions, LaneState } from './lane-state.js';
import { LaneUsers } from './lane-users.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { SessionBook } from './session-book.js';
import { TicketBlock } from './ticket-block.js';
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
export class Lane {
  state: LaneState = 'idle';
  dirty = false;
  /** Run time at which the session was opened. */
  openedAtMs = -Infinity;
  readonly profile: ProfileRuntime;
  private readonly id: number;
  private readonly endpoint: number;
  private readonly slot: number;
  private readonly listener: StreamListener | undefined;
  private readonly backoff: Backoff;
  readonly users: LaneUsers;
  private channel: Channel | undefined;
  private readonly tickets: TicketBlock;
  private readonly book: SessionBook;
  /** The replica behind the endpoint, where that is one; else 0. */
  readonly home: number;
  /** -1: no end of them. */
  private operationsLeft = -1;

  constructor(
    private readonly floor: Floor,
    options: LaneOptions,
  ) {
    this.profile = options.profile;
    this.id = options.id;
    this.endpoint = options.endpoint;
    this.slot = options.slot;
    this.listener = options.listener;
    this.backoff = options.backoff;
    this.tickets = new TicketBlock(floor.tickets, options.id, options.profile.rules.capacity);
    this.book = new SessionBook(floor, options.profile);
    this.home = floor.homeOf(options.profile, options.endpoint);
    this.users = new LaneUsers(floor);
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
    this.users.wanted++;
    if (this.state === 'idle') this.request();
  }

  /** Per request: wanted for one session only. Precondition: `idle`. */
  openOnce(): void {
    this.users.wanted = 1;
    this.request();
  }

  unwant(): void {
    this.users.wanted--;
    if (this.users.wanted > 0) return;
    if (this.state === 'open') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.rest();
  }

  /** Called by the gate when it is this lane's turn. */
  start(): void {
    this.state = 'opening';
    this.book.trail.begin();
    this.floor.laneWakes.set(this.id, this.floor.nowMs + this.profile.plan.timeoutMs + OPEN_SLACK_MS);
    this.channel = this.floor.createChannel(
      this.profile,
      { endpoint: this.endpoint, slot: this.slot },
      new LaneEvents(this, this.floor),
      this.listener,
    );
    this.channel.open();
  }

  /** The time set in `laneWakes` has come. */
  wake(): void {
    switch (this.state) {
      case 'opening':
        this.refused({ category: 'timeout', detail: `no session within ${this.profile.plan.timeoutMs} ms` });
        return;
      case 'backoff':
        this.rest();
        if (this.users.wanted > 0) this.request();
        this.users.touch();
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
    this.users.wanted = 0;
    if (this.state === 'open' || this.state === 'ending') this.end();
    else if (this.state === 'queued' || this.state === 'backoff') this.rest();
  }

  /** Cuts whatever there is; a session that was open counts as closed. */
  destroy(): void {
    this.users.wanted = 0;
    if (this.state === 'opening') {
      this.channel?.destroy();
      this.floor.gate.leave();
      this.rest();
    } else if (this.hasSession) this.gone();
    else this.rest();
  }

  // ---- what the channel reports, see `LaneEvents` ----

  opened(connectMs: number): void {
    if (this.state !== 'opening') return;
    this.book.opened(connectMs);
    this.state = 'open';
    this.openedAtMs = this.floor.nowMs;
    const { operations, ageMs } = this.profile.rules;
    this.operationsLeft = Number.isFinite(operations) ? operations : -1;
    this.floor.laneWakes.set(this.id, this.floor.nowMs + ageMs);
    this.floor.gate.leave();
    if (this.users.wanted > 0) this.invite();
    else this.end();
  }

  openFailed(failure: Failure): void {
    if (this.state === 'opening') this.refused(failure);
  }

  controlAnswered(replica: number, unknown: boolean): void {
    this.book.trail.answered(replica);
    if (unknown) this.book.trail.unknown();
  }

  /** @param replica number of the one that answered; 0: not known, or none has */
  answered(ticket: number, failure: Failure | undefined, replica: number): void {
    const floor = this.floor;
    const by = replica > 0 ? replica : this.home;
    const row = this.tickets.rowOf(ticket);
    const client = floor.clients[floor.tickets.client[row] as number] as VirtualClient;
    if (failure === undefined) {
      this.backoff.succeeded();
      this.book.answered();
    }
    // What was never answered is charged to the endpoint's replica, but tells nothing of where the session is.
    if (replica > 0 || failure === undefined) this.book.trail.answered(by);
    client.answered(row, failure, by);
    this.release(row, false);
    // A connection of an open session could not be made again: to what waits that is no other than a refused session.
    if (failure !== undefined && failure.category === 'connect' && this.state === 'open' && this.room === 0)
      client.refused(failure, this.home);
  }

  /** Room may have grown. */
  invite(): void {
    this.users.invite(this.channel?.room ?? 0, this.profile.plan.session.mode === 'pool');
  }

  closed(reason: 'closed' | 'lost'): void {
    if (!this.hasSession) return;
    if (reason === 'lost') this.book.lost();
    else this.book.closed();
    // A server that loses each session before its first answer would be asked for a new one without pause.
    const fruitless = reason === 'lost' && !this.book.fruitful;
    this.channel?.destroy();
    this.reopen(fruitless);
  }

  // ---- transitions ----

  private request(): void {
    if (!this.floor.running) return;
    this.state = 'queued';
    this.floor.gate.enter(this);
  }

  private rest(): void {
    this.state = 'idle';
    if (this.profile.rules.onDemand) this.users.wanted = 0;
    this.channel = undefined;
    this.floor.laneWakes.set(this.id, Infinity);
  }

  private refused(failure: Failure): void {
    this.book.refused(failure);
    this.channel?.destroy();
    this.channel = undefined;
    if (this.users.wanted > 0) this.pause();
    else this.rest();
    this.floor.gate.leave();
    this.users.refuse(failure, this.home);
  }

  private pause(): void {
    this.backoff.failed(this.floor.nowMs);
    this.state = 'backoff';
    this.floor.laneWakes.set(this.id, this.backoff.untilMs);
  }

  private end(): void {
    this.state = 'ending';
    this.floor.laneWakes.set(this.id, Infinity);
    if (this.inFlight === 0) this.close();
  }

  private close(how = this.profile.plan.onClose): void {
    this.state = 'closing';
    this.floor.laneWakes.set(this.id, this.floor.nowMs + Math.min(this.profile.plan.timeoutMs, LONGEST_GOODBYE_MS));
    this.channel?.close(how);
  }

  private gone(): void {
    this.channel?.destroy();
    this.book.closed();
    this.reopen(false);
  }

  private reopen(afterPause: boolean): void {
    this.rest();
    if (afterPause) this.pause();
    else if (this.users.wanted > 0) this.request();
    this.users.touch();
  }

  private release(row: number, abandoned: boolean): void {
    this.tickets.give(row);
    if (this.state === 'ending' && this.inFlight === 0) this.close();
    else if (!abandoned && this.users.line.contended) this.users.line.grantTurn();
  }
}
