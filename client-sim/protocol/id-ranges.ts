/**
 * Ids of requests are unique in a whole run: a gateway that matches answers by their ids alone could otherwise give one
 * session the answer to another one's request, and nobody would notice. The controller gives each worker a share of the
 * ids, and a worker each of its engine threads. All have ten digits, so that an id never changes the length of a
 * request, and fit into 32 bits, where servers of statically typed languages keep them. A thread that has used its
 * share, of the thousand million ids, begins it again.
 */
export interface IdRange {
  readonly first: number;
  readonly last: number;
}

export const FIRST_ID = 1_000_000_000;
/** The largest small integer of V8, so that ids never become heap numbers. */
export const LAST_ID = 2_147_483_647;

/** The first ids are for preflights. */
const PREFLIGHT_COUNT = 1_000_000;
export const PREFLIGHT_IDS: IdRange = { first: FIRST_ID, last: FIRST_ID + PREFLIGHT_COUNT - 1 };
/** The last ids are for requests that misbehave, so that a log of the server tells them from the others. */
export const MISBEHAVING_IDS: IdRange = { first: 2_000_000_000, last: LAST_ID };
export const LOAD_IDS: IdRange = { first: FIRST_ID + PREFLIGHT_COUNT, last: MISBEHAVING_IDS.first - 1 };

/** Parts `from` to `to` (not included) of `total` equal parts. */
export function shareOfIds({ first, last }: IdRange, from: number, to: number, total: number): IdRange {
  const count = last - first + 1;
  const startOf = (part: number): number => first + Math.floor((count * part) / total);
  return { first: startOf(from), last: startOf(to) - 1 };
}

/** The ids for misbehaving requests of a thread: as large a part of them as its share is of all ids of the load. */
export function misbehavingIds({ first, last }: IdRange): IdRange {
  const scale = (MISBEHAVING_IDS.last - MISBEHAVING_IDS.first + 1) / (LOAD_IDS.last - LOAD_IDS.first + 1);
  const startOf = (id: number): number => MISBEHAVING_IDS.first + Math.floor((id - LOAD_IDS.first) * scale);
  return { first: startOf(first), last: startOf(last + 1) - 1 };
}

/** The shares of workers, in proportion to their engine threads. @returns by the id of the worker */
export function idShares(
  workers: readonly { readonly id: string; readonly threads: number }[],
): ReadonlyMap<string, IdRange> {
  const total = workers.reduce((sum, { threads }) => sum + threads, 0);
  const shares = new Map<string, IdRange>();
  let before = 0;
  for (const { id, threads } of workers) {
    shares.set(id, shareOfIds(LOAD_IDS, before, before + threads, total));
    before += threads;
  }
  return shares;
}
