import { allocationKey } from '../../scenarios/schema/allocate.js';
import { takesPart } from '../../scenarios/schema/offered-load.js';
import { activeIntervals, type Interval } from '../load/activity.js';
import {
  type Arrivals,
  ClosedArrivals,
  IdleArrivals,
  NoArrivals,
  OpenArrivals,
  type SequenceRange,
} from '../load/arrivals.js';
import { adjustShape, type LoadShape, shapeFor } from '../load/load-shape.js';
import { clientSchedule, type Schedule } from '../load/schedule.js';
import type { AdjustOrder } from '../protocol/messages.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import { SessionBackoff } from './session-backoff.js';
import { SessionSlot } from './session-slot.js';
import { Subscriber } from './subscriber.js';
import { VirtualClient } from './virtual-client.js';

/** Names one virtual client: the index of its profile in the plan, and its own index within the profile. */
export interface ClientRef {
  readonly profile: number;
  readonly index: number;
}

export type LoadAdjustment = Pick<AdjustOrder, 'stage' | 'atMs' | 'load' | 'profile'>;

/**
 * All virtual clients of one thread, with their session slots and subscribers: creates them, and gives them new
 * schedules when the load is adjusted.
 */
export class Population {
  /** By the number that tickets and wakes refer to. */
  readonly clients: VirtualClient[] = [];
  /** By the number that tickets and wakes refer to. */
  readonly sessionSlots: SessionSlot[] = [];
  readonly subscribers: Subscriber[] = [];
  /** By profile: an adjustment may name one. */
  private readonly shapes: LoadShape[];
  private readonly pools = new Map<string, { readonly sessionSlot: SessionSlot; readonly backoff: SessionBackoff }>();
  /** Index of each client within its profile, by the client's number. */
  private readonly indexes: number[] = [];

  constructor(
    private readonly scheduler: Scheduler,
    readonly profiles: readonly ProfileRuntime[],
    /** Number of endpoints of a profile. */
    private readonly endpointCount: (profile: number) => number,
    shape: LoadShape,
  ) {
    this.shapes = profiles.map(({ plan }) => shapeFor(shape, plan.name));
  }

  /** @param joinMs what was due before this run time is not theirs */
  add(refs: readonly ClientRef[], joinMs: number): void {
    for (const ref of refs) {
      const profile = this.profiles[ref.profile];
      if (profile === undefined) throw new RangeError(`no profile ${ref.profile} in the plan`);
      const client = new VirtualClient(this.scheduler, {
        id: this.clients.length,
        slot: profile.plan.firstSlot + ref.index,
        profile,
        ...this.sessionSlotsOf(profile, ref.index),
        arrivals: (onOffered) => this.arrivals(profile, ref.index, joinMs, onOffered),
      });
      this.clients.push(client);
      this.indexes.push(ref.index);
      client.begin(this.intervals(profile, ref.index), joinMs);
    }
  }

  /** @param nowMs an order that comes late takes effect now: what was sent cannot be taken back */
  adjust(order: LoadAdjustment, nowMs: number): void {
    const adjustment = { stage: order.stage, atMs: Math.max(order.atMs, nowMs), load: order.load };
    this.profiles.forEach((profile, index) => {
      if (order.profile !== undefined && order.profile !== profile.plan.name) return;
      const shape = this.shapes[index] ?? [];
      if (shape.every((stage) => stage.index !== order.stage || takesPart(stage, profile.plan.name)))
        this.shapes[index] = adjustShape(shape, adjustment);
    });
    for (const client of this.clients) {
      if (order.profile !== undefined && order.profile !== client.profile.plan.name) continue;
      const index = this.indexes[client.id] as number;
      if (client.arrivals instanceof OpenArrivals) client.arrivals.reschedule(this.schedule(client.profile, index));
      client.setActivity(this.intervals(client.profile, index));
    }
  }

  private arrivals(profile: ProfileRuntime, index: number, joinMs: number, onOffered: SequenceRange): Arrivals {
    const { plan } = profile;
    if (plan.arrivals.model === 'open') return new OpenArrivals(this.schedule(profile, index), joinMs, onOffered);
    if (plan.misbehave.idleMs !== undefined) return new IdleArrivals(plan.misbehave.idleMs, onOffered);
    if (plan.arrivals.model === 'none') return new NoArrivals();
    return new ClosedArrivals(
      {
        thinkTime: plan.arrivals.thinkTime,
        loops: plan.maxInFlight,
        seed: this.scheduler.seed,
        slot: plan.firstSlot + index,
        index,
        clients: plan.clients,
      },
      onOffered,
    );
  }

  private schedule(profile: ProfileRuntime, index: number): Schedule {
    return clientSchedule(profile.plan, index, this.shapes[profile.index] ?? [], this.scheduler.seed);
  }

  private intervals(profile: ProfileRuntime, index: number): readonly Interval[] {
    return activeIntervals(this.shapes[profile.index] ?? [], index, profile.plan.clients);
  }

  /** The session slots of a client: new ones, or the one that it shares with others. */
  private sessionSlotsOf(
    profile: ProfileRuntime,
    index: number,
  ): { readonly sessionSlots: readonly SessionSlot[]; readonly backoff: SessionBackoff } {
    const key = allocationKey(profile.plan, index);
    const pooled = this.pools.get(`${profile.index}:${key}`);
    if (pooled !== undefined) return { sessionSlots: [pooled.sessionSlot], backoff: pooled.backoff };
    const backoff = new SessionBackoff(this.scheduler.seed, key);
    const sessionSlots = Array.from({ length: profile.rules.sessionSlots }, () =>
      this.createSessionSlot(profile, key, backoff),
    );
    const [sessionSlot] = sessionSlots;
    if (profile.plan.session.mode === 'pool' && sessionSlot !== undefined)
      this.pools.set(`${profile.index}:${key}`, { sessionSlot, backoff });
    return { sessionSlots, backoff };
  }

  private createSessionSlot(profile: ProfileRuntime, key: number, backoff: SessionBackoff): SessionSlot {
    const sessionSlot = new SessionSlot(this.scheduler, {
      id: this.sessionSlots.length,
      profile,
      endpoint: key % this.endpointCount(profile.index),
      slot: key,
      clientsById: this.clients,
      backoff,
      listener: profile.plan.stream === undefined ? undefined : this.createSubscriber(profile, key, backoff),
    });
    this.sessionSlots.push(sessionSlot);
    return sessionSlot;
  }

  private createSubscriber(profile: ProfileRuntime, key: number, backoff: SessionBackoff): Subscriber {
    const subscriber = new Subscriber(this.scheduler, profile, key, backoff);
    this.subscribers.push(subscriber);
    return subscriber;
  }
}
