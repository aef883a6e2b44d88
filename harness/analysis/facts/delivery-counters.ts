import { type Flow, sumOfFlows } from '../../../client-sim/protocol/streams.js';

/** What became of all publications, of all workers and the whole run. */
export interface Deliveries {
  /** Clients that published something. */
  readonly publishers: number;
  /** Publications that the server confirmed. */
  readonly published: number;
  /** Sent without a confirmation; whether they were delivered counts for nothing. */
  readonly unconfirmed: number;
  /** Pairs of a subscriber and a publisher that it received something from. */
  readonly subscriptions: number;
  /** Summed over those pairs: published before the first publication that the subscriber received. */
  readonly before: number;
  /** Summed over those pairs: published since. */
  readonly expected: number;
  readonly delivered: number;
  /** Expected but not delivered, summed by publisher, so that surplus of one does not hide losses of another. */
  readonly lost: number;
}

/** Sums the flows of all workers by publisher. */
export class DeliveryCounters {
  private readonly flows = new Map<number, Flow>();

  add(flows: readonly Flow[]): void {
    for (const flow of flows) {
      const sum = this.flows.get(flow.publisher);
      this.flows.set(flow.publisher, sum === undefined ? flow : sumOfFlows(sum, flow));
    }
  }

  /** @returns undefined when nothing was published or received */
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
