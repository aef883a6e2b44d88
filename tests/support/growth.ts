/** A cost this small is lost in the noise of the machine, so it is repeated. */
const LEAST_MS = 5;
const MOST_REPEATS = 4096;

/** How many times as large the second input is. Linear cost is 8 times as much, quadratic cost 64 times. */
export const FACTOR = 8;
/** Between the two, with room for a machine whose processor is twice as fast in one moment as in the next. */
export const LINEAR = 30;

/**
 * How many times the processor time of `act` grows when its input is eight times as large. Everything that disturbs
 * makes a round longer, so the better of two rounds counts; the large input gets its second one only where the first
 * says that the growth is not linear.
 * @param act deals with an input of the given size; what it throws is part of dealing with it
 */
export async function growthOf(act: (size: number) => unknown, size: number): Promise<number> {
  // What is compiled on the way belongs to neither side.
  for (const one of [size, FACTOR * size]) await cost(act, one, 1);
  let repeats = 1;
  let small = await cost(act, size, repeats);
  while (small < LEAST_MS && repeats < MOST_REPEATS) {
    repeats = Math.min(MOST_REPEATS, Math.ceil(repeats * Math.min(64, Math.max(1.5, (1.2 * LEAST_MS) / small))));
    small = await cost(act, size, repeats);
  }
  small = Math.min(small, await cost(act, size, repeats));
  const large = await cost(act, FACTOR * size, repeats);
  if (large < LINEAR * small) return large / small;
  return Math.min(large, await cost(act, FACTOR * size, repeats)) / small;
}

/** Milliseconds of processor time of this process, all of its threads together. */
async function cost(act: (size: number) => unknown, size: number, repeats: number): Promise<number> {
  const before = process.cpuUsage();
  for (let time = 0; time < repeats; time += 1) {
    try {
      await act(size);
    } catch {
      // A refusal is an answer, too.
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
