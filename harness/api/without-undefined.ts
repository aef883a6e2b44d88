/**
 * The same object without its undefined values, as `exactOptionalPropertyTypes` wants it: absent and undefined are not
 * the same.
 */
export function withoutUndefined<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
