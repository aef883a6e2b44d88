import type { Flow } from '../protocol/streams.js';

type Writable = { -readonly [Key in keyof Flow]: Flow[Key] };

/** Counts by publisher since the last `take`; see `Flow`. */
export class FlowCounters {
  private flows = new Map<number, Writable>();

  of(publisher: number): Writable {
    const known = this.flows.get(publisher);
    if (known !== undefined) return known;
    const flow: Writable = { publisher, published: 0, unconfirmed: 0, subscribers: 0, before: 0, delivered: 0 };
    this.flows.set(publisher, flow);
    return flow;
  }

  /** @returns everything since the last call */
  take(): readonly Flow[] {
    if (this.flows.size === 0) return NONE;
    const taken = [...this.flows.values()];
    this.flows = new Map();
    return taken;
  }
}

const NONE: readonly Flow[] = [];
