import { type LookupAddress, type LookupAllOptions, type LookupOptions, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

/** The ways to find the addresses of a name. */
export interface Lookups {
  /** As any program does it: the hosts file, search domains, name servers. May take 10 s, and cannot be cut short. */
  system(hostname: string): Promise<readonly LookupAddress[]>;
  /** Asks the name server once, with a short limit. */
  query(hostname: string): Promise<readonly LookupAddress[]>;
}

/** A system look-up that takes longer waits for a name server that does not answer. */
const SLOW_MS = 1_000;
const QUERY_MS = 1_000;

const ofThisMachine: Lookups = {
  system: (hostname) =>
    new Promise((resolve, reject) => {
      const all: LookupAllOptions = { all: true };
      lookup(hostname, all, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
    }),
  async query(hostname) {
    const resolver = new Resolver({ timeout: QUERY_MS, tries: 1 });
    return (await resolver.resolve4(hostname)).map((address) => ({ address, family: 4 }));
  },
};

/**
 * Looks up the name of the controller beside the work: a new connection gets the last address at once, and finds a
 * newer one for the next. While a controller is replaced, its name is unknown to Docker's resolver, which then asks the
 * name servers of the machine; where those do not answer, each look-up takes 10 s, and leases end meanwhile.
 */
export class KeptAddress {
  private kept: readonly LookupAddress[] = [];
  private system: { readonly since: number; readonly result: Promise<readonly LookupAddress[]> } | undefined;
  private query: Promise<readonly LookupAddress[]> | undefined;

  constructor(
    private readonly lookups: Lookups = ofThisMachine,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const looked = this.look(hostname);
    const give = (addresses: readonly LookupAddress[]): void => answer(addresses, options, callback);
    if (this.kept.length > 0) {
      looked.catch(() => undefined);
      return give(this.kept);
    }
    looked.then(give, (error: NodeJS.ErrnoException) => callback(error, ''));
  };

  /** @returns the first addresses that any look-up finds */
  private look(hostname: string): Promise<readonly LookupAddress[]> {
    const running = this.system;
    if (running === undefined) return this.askSystem(hostname);
    if (this.now() - running.since < SLOW_MS) return running.result;
    this.query ??= this.lookups
      .query(hostname)
      .then((found) => this.keep(found))
      .finally(() => (this.query = undefined));
    return Promise.any([running.result, this.query]).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  }

  private askSystem(hostname: string): Promise<readonly LookupAddress[]> {
    const result = this.lookups
      .system(hostname)
      .then((found) => this.keep(found))
      .finally(() => (this.system = undefined));
    this.system = { since: this.now(), result };
    return result;
  }

  private keep(found: readonly LookupAddress[]): readonly LookupAddress[] {
    if (found.length > 0) this.kept = found;
    return found;
  }
}

function answer(
  addresses: readonly LookupAddress[],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const [first] = addresses;
  if (options.all === true) callback(null, [...addresses]);
  else if (first === undefined) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
  else callback(null, first.address, first.family);
}
