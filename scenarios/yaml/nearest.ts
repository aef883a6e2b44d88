/**
 * The most comparisons of two characters in one search. A typing mistake in a few dozen names needs some hundreds; a
 * file with thousands of unknown words must not take seconds.
 */
const MOST_COMPARISONS = 20_000;
/** Nobody mistypes a longer word. */
const LONGEST_WORD = 100;
/** The most names in a hint. */
const MOST_NAMES = 60;

/** The known word closest to a mistyped one, or undefined when none is close enough to be what was meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1;
  let left = MOST_COMPARISONS;
  for (const candidate of known) {
    // A search among very many names ends; each of them costs something, even when its length alone rules it out.
    left -= 1;
    if (left <= 0) break;
    if (Math.abs(candidate.length - typed.length) >= bestDistance) continue;
    left -= typed.length * candidate.length;
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?`, or else the list of known words. */
export function suggest(word: string, known: readonly string[], what: string): string {
  const close = nearest(word, known);
  if (close !== undefined) return `did you mean "${close}"?`;
  return known.length === 0 ? `there are no ${what}` : `${what}: ${listOf(known)}`;
}

/** The names, at most sixty of them, each cut where it is long. */
export function listOf(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name.length > LONGEST_WORD ? `${name.slice(0, 97)}...` : name));
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const replaced = at(last, j - 1) + (same ? 0 : 1);
      let cost = Math.min(replaced, at(last, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
