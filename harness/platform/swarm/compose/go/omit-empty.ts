/** Go's `omitempty`, so that the engine is sent the same bodies as by the CLI. */

type Maybe<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Without keys that are undefined, "", 0, false or an empty list. Structures stay, even when empty. */
export function omitEmpty<T extends object>(value: Maybe<T>): T {
  return kept(
    value,
    (each) =>
      each !== undefined && each !== '' && each !== 0 && each !== false && !(Array.isArray(each) && each.length === 0),
  );
}

/** Without keys that are undefined: for what is sent even when it is 0 or false. */
export function omitAbsent<T extends object>(value: Maybe<T>): T {
  return kept(value, (each) => each !== undefined);
}

/** A map is omitted when it has no keys. */
export function nonEmpty<T>(map: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}

function kept<T extends object>(value: Maybe<T>, keep: (each: unknown) => boolean): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => keep(each))) as T;
}
