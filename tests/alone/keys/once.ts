/** Each run is made once, by the first row that asks for it. */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

const AT_ONCE = 3;
const untimed: (() => Promise<unknown>)[] = [];

const allUntimed = once(async () => {
  const left = [...untimed];
  const lane = async (): Promise<void> => {
    // One that fails is told to the rows that ask for it.
    for (let make = left.shift(); make !== undefined; make = left.shift()) await make().catch(() => undefined);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
});

/**
 * For a run in which time does not matter: the first row that asks for any of them waits for all, since they mostly
 * wait, too.
 */
export function amongOthers<Value>(make: () => Promise<Value>): () => Promise<Value> {
  const made = once(make);
  untimed.push(made);
  return async () => {
    await allUntimed();
    return made();
  };
}
