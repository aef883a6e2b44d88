/** Damage to files and messages, drawn from a seed. */

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this test run, which a failure shows; set SWARMBENCH_FUZZ_SEED to repeat it. */
export const fuzzSeed = Number(process.env.SWARMBENCH_FUZZ_SEED ?? Date.now() % 1_000_000);

/** How long a fuzz may take: in CI a part of a minute, by hand as many as SWARMBENCH_FUZZ_MINUTES says. */
export function fuzzBudgetMs(inCiMs: number): number {
  const minutes = process.env.SWARMBENCH_FUZZ_MINUTES;
  return minutes === undefined ? inCiMs : Number(minutes) * 60_000;
}

/** Calls `act` with ever new seeds until the time is over; an error names the seed. Returns how many there were. */
export async function fuzz(budgetMs: number, act: (random: Random, seed: number) => Promise<void> | void) {
  const until = performance.now() + budgetMs;
  let rounds = 0;
  for (; performance.now() < until; rounds += 1) {
    const seed = fuzzSeed + rounds;
    try {
      await act(randomFrom(seed), seed);
    } catch (cause) {
      throw new Error(`SWARMBENCH_FUZZ_SEED=${seed} shows: ${String(cause)}`, { cause });
    }
  }
  return rounds;
}

/** @param items not empty */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

const VALUES: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e15, -1e300, '', 'x', '\u0000\u202e', [], {}],
  ...[[null], { a: 1 }, '9'.repeat(400), '${HOME}', '__proto__', 'NaN'],
];

/** The value with one place in it replaced, removed or added. */
export function damagedValue(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.1) return pick(random, VALUES);
  if (Array.isArray(value)) {
    if (value.length === 0) return [pick(random, VALUES)];
    const at = Math.floor(random() * value.length);
    if (random() < 0.1) return value.toSpliced(at, 1);
    if (random() < 0.1) return [...value, value[at]];
    return value.with(at, damagedValue(random, value[at]));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.05) return { ...value, [pick(random, ['x', '__proto__', ''])]: 1 };
  const [key, held] = pick(random, entries);
  if (random() < 0.15) return Object.fromEntries(entries.filter(([name]) => name !== key));
  return { ...value, [key]: damagedValue(random, held) };
}

/** The text cut, with characters changed, or with lines lost, repeated, exchanged or damaged. */
export function damagedText(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = Math.floor(random() * lines.length);
  const line = lines[at] ?? '';
  switch (Math.floor(random() * 8)) {
    case 0:
      return text.slice(0, Math.floor(random() * text.length));
    case 1:
      return text.slice(Math.floor(random() * text.length));
    case 2:
      return lines.toSpliced(at, 1 + Math.floor(random() * 3)).join('\n');
    case 3:
      return lines.toSpliced(at, 0, line).join('\n');
    case 4:
      return lines
        .toSpliced(at, 0, pick(random, ['', '1', 'null', '{}', '[]', '{"type":"run.created"}', 'garbage']))
        .join('\n');
    case 5: {
      const place = Math.floor(random() * text.length);
      return text.slice(0, place) + pick(random, ['\u0000', '"', '{', '\n', '\ufffd', '9']) + text.slice(place + 1);
    }
    default:
      return lines.with(at, damagedLine(random, line)).join('\n');
  }
}

function damagedLine(random: Random, line: string): string {
  try {
    return JSON.stringify(damagedValue(random, JSON.parse(line)));
  } catch {
    return line.slice(Math.floor(random() * line.length));
  }
}
