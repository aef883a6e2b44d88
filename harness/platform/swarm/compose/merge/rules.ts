/**
 * How one value of a later file meets the same value of an earlier one: the rules of docker/cli 28,
 * cli/compose/loader/merge.go (built on dario.cat/mergo), its corners included. An empty value (`false`, 0, "") never
 * replaces anything.
 */

/** The later one, unless it is absent or empty. */
export function later<T>(base: T | undefined, override: T | undefined): T | undefined {
  return isEmpty(override) ? (base ?? override) : override;
}

/** The later one, unless it is absent: for what can be set to 0. */
export function latest<T>(base: T | undefined, override: T | undefined): T | undefined {
  return override ?? base;
}

/** Both, one after the other. */
export function appended<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
): readonly T[] | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return [...base, ...override];
}

/** The later list, unless it is empty. */
export function replaced<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
): readonly T[] | undefined {
  if (base === undefined) return override;
  return override === undefined || override.length === 0 ? base : override;
}

/** Key by key, the later one wins. */
export function united<T>(
  base: Readonly<Record<string, T>> | undefined,
  override: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return { ...base, ...override };
}

/** Key by key; an empty or missing value never replaces one that is there. */
export function unitedVariables(
  base: Readonly<Record<string, string | null>>,
  override: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string | null>> {
  const merged = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value !== null && value !== '') merged[name] = value;
    else if (!merged[name]) merged[name] = value;
  }
  return merged;
}

/** Both blocks where both are given, else the one that is. */
export function both<T>(
  base: T | undefined,
  override: T | undefined,
  merge: (base: T, override: T) => T,
): T | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return merge(base, override);
}

/**
 * One item for each key, the later one wins, sorted by key: even within one of the two files. Without a base the later
 * list stays as it is.
 */
export function keyed<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
  keyOf: (item: T) => string | number,
  onReplaced: (item: T, by: T) => void,
): readonly T[] | undefined {
  if (base === undefined) return override;
  const items = new Map<string | number, T>();
  for (const list of [base, override ?? []]) {
    const own = new Set<string | number>();
    for (const item of list) {
      const known = items.get(keyOf(item));
      if (known !== undefined && own.has(keyOf(item))) onReplaced(known, item);
      items.set(keyOf(item), item);
      own.add(keyOf(item));
    }
  }
  return [...items].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}
