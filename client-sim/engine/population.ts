import { allocationKey } from '../../scenarios/schema/allocate.js';
import { takesPart } from '../../scenarios/schema/offered-load.js';
import { activeIntervals } from '../load/activity.js';
import {
  type Arrivals,
  ClosedArrivals,
  IdleArrivals,
  NoArrivals,
  OpenArrivals,
  type SequenceRange,
} from '../load/arrivals.js';
import { adjustShape, type LoadShape, shapeFor } from '../load/load-shape.js';
import { clientSchedule } from '../load/schedule.js';
import type { AdjustOrder } from '../protocol/messages.js';
import type { ClientPlace } from '../threads/divide-clients.js';
import { Backoff } from './backoff.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import { SessionSlot } from './session-slot.js';
import { Subscriber } from './subscriber.js';
import { VirtualClient } from './virtual-client.js';

/** Who lives on a floor: creates clients and their lanes, and gives them new schedules when the load is adjusted. */
export class Population {
  /** By profile: an adjustment may name one. */
  private readonly shapes: LoadShape[];
  private readonly pools = new Map<string, { readonly sessionSlot: SessionSlot; readonly backoff: Backoff }>();
  private readonly members: { readonly client: VirtualClient; readonly place: ClientPlace }[] = [];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly profiles: readonly ProfileRuntime[],
    /** How many there are for a profile. */
    private readonly endpoints: (profile: number) => number,
    shape: LoadShape,
  ) {
    this.shapes = profiles.map(({ plan }) => shapeFor(shape, plan.name));
  }

  /** @param joinMs what was due before is not theirs */
  add(places: readonly ClientPlace[], joinMs: number): void {
    for (const place of places) {
      const profile = this.profiles[place.profile];
      if (profile === undefined) throw new RangeError(`no profile ${place.profile} in the plan`);
      const id = this.scheduler.clients.length;
      const slot = profile.plan.firstSlot + place.index;
      const client = new VirtualClient(this.scheduler, {
        id,
        slot,
        profile,
        ...this.sessionSlots(profile, place.index),
        arrivals: (onOffered) => this.arrivals(profile, place.index, joinMs, onOffered),
      });
      this.scheduler.clients.push(client);
      this.members.push({ client, place });
      client.begin(this.intervals(profile, place.index), joinMs);
    }
  }

  /** @param nowMs an order that comes late holds from now: what was sent cannot be taken back */
  adjust(order: Pick<AdjustOrder, 'stage' | 'atMs' | 'load' | 'profile'>, nowMs: number): void {
    const adjustment = { stage: order.stage, atMs: Math.max(order.atMs, nowMs), load: order.load };
    this.profiles.forEach((profile, index) => {
      if (order.profile !== undefined && order.profile !== profile.plan.name) return;
      const shape = this.shapes[index] ?? [];
      if (shape.every((stage) => stage.index !== order.stage || takesPart(stage, profile.plan.name)))
        this.shapes[index] = adjustShape(shape, adjustment);
    });
    for (const { client, place } of this.members) {
      if (order.profile !== undefined && order.profile !== client.profile.plan.name) continue;
      if (client.arrivals instanceof OpenArrivals)
        client.arrivals.reschedule(this.schedule(client.profile, place.index));
      client.setActivity(this.intervals(client.profile, place.index));
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

  private schedule(profile: ProfileRuntime, index: number) {
    return clientSchedule(profile.plan, index, this.shapes[profile.index] ?? [], this.scheduler.seed);
  }

  private intervals(profile: ProfileRuntime, index: number) {
    return activeIntervals(this.shapes[profile.index] ?? [], index, profile.plan.clients);
  }

  private sessionSlots(
    profile: ProfileRuntime,
    index: number,
  ): { readonly sessionSlots: readonly SessionSlot[]; readonly backoff: Backoff } {
    const key = allocationKey(profile.plan, index);
    const pooled = this.pools.get(`${profile.index}:${key}`);
    if (pooled !== undefined) return { sessionSlots: [pooled.sessionSlot], backoff: pooled.backoff };
    const backoff = new Backoff(this.scheduler.seed, key);
    const sessionSlots = Array.from({ length: profile.rules.sessionSlots }, () =>
      this.sessionSlot(profile, key, backoff),
    );
    const [sessionSlot] = sessionSlots;
    if (profile.plan.session.mode === 'pool' && sessionSlot !== undefined)
      this.pools.set(`${profile.index}:${key}`, { sessionSlot, backoff });
    return { sessionSlots, backoff };
  }

  private sessionSlot(profile: ProfileRuntime, key: number, backoff: Backoff): SessionSlot {
    const place = { endpoint: key % this.endpoints(profile.index), slot: key };
    const listener =
      profile.plan.stream === undefined ? undefined : new Subscriber(this.scheduler, profile, key, backoff);
    const sessionSlot = new SessionSlot(this.scheduler, {
      id: this.scheduler.sessionSlots.length,
      profile,
      ...place,
      backoff,
      listener,
    });
    this.scheduler.sessionSlots.push(sessionSlot);
    return sessionSlot;
  }
}
