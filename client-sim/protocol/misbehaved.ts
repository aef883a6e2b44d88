/** How telemetry names what misbehaving clients did: `KIND:REACTION`, such as `malformed/oversize:http_413`. */

/** What a server answered with when it answered as if nothing were wrong. */
export const ANSWERED = 'result';

export interface Misbehaved {
  /** `readRate`, `writeRate`, `abort/...`, `malformed/...`, `idle`, `reconnect`, `reconnect/return`. */
  readonly kind: string;
  /** `result`, an error category, or what we did ourselves: `closed`, `cut`. */
  readonly reaction: string;
}

export function misbehavedKey(kind: string, reaction: string): string {
  return `${kind}:${reaction}`;
}

export function parseMisbehaved(key: string): Misbehaved {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon), reaction: key.slice(colon + 1) };
}

/** Whether a key of samples names a misdeed rather than an error category. */
export function isMisbehaved(key: string): boolean {
  return key.includes(':');
}

/** Categories of operations that failed by our own doing: in the books, never among the errors of the target. */
export function isByUs(category: string): boolean {
  return category.endsWith('_by_us');
}
