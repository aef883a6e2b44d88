import { type Flow, sumOfFlows } from '../../../client-sim/protocol/streams.js';

/** What became of everything that was published, all workers and the whole run together. */
export interface Deliveries {
  /** Clients that published. */
  readonly publishers: number;
  /** Publications the server confirmed. */
  readonly published: number;
  /** Sent, but not known to be published: whether they were delivered is not held against anyone. */
  readonly unconfirmed: number;
  /** Pairs of a subscriber and a publisher it heard of. */
  readonly subscriptions: number;
  /** Summed over those pairs: published before the subscriber first heard of the publisher. */
  readonly before: number;
  /** Summed over those pairs: published from then on. */
  readonly expected: number;
  readonly delivered: number;
  /** Of those expected; negative numbers do not make up for others, so it is summed by publisher. */
  readonly lost: number;
}

/** Flows of all workers, by publisher. */
export class DeliveryCounters {
  private readonly flows = new Map<number, Flow>();

  add(flows: readonly Flow[]): void {
    for (const flow of flows) {
      const sum = this.flows.get(flow.publisher);
      this.flows.set(flow.publisher, sum === undefined ? flow : sumOfFlows(sum, flow));
    }
  }

  /** Undefined: nothing was published or heard of. */
  deliveries(): Deliveries | undefined {
    if (this.flows.size === 0) return undefined;
    const sums = {
      publishers: 0,
      published: 0,
      unconfirmed: 0,
      subscriptions: 0,
      before: 0,
      expected: 0,
      delivered: 0,
      lost: 0,
    };
    for (const { published, unconfirmed, subscribers, before, delivered } of this.flows.values()) {
      const expected = Math.max(0, published * subscribers - before);
      if (published + unconfirmed > 0) sums.publishers += 1;
      sums.published += published;
      sums.unconfirmed += unconfirmed;
      sums.subscriptions += subscribers;
      sums.before += before;
      sums.expected += expected;
      sums.delivered += delivered;
      sums.lost += Math.max(0, expected - delivered);
    }
    return sums;
  }
}
