/** Orders for `sort`, the same on every machine. */

export function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Entries of a map or an object, by their keys. */
export function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return byName(a, b);
}

/** `mcp-server.2` comes before `mcp-server.10`. */
export function byNumberedName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || byName(a, b);
}
