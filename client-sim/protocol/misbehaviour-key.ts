/** How telemetry names what misbehaving clients did: `KIND:REACTION`, such as `malformed/oversize:http_413`. */

/** What a server answered with when it answered as if nothing were wrong. */
export const ANSWERED_NORMALLY = 'result';

interface MisbehaviourOutcome {
  /** `readRate`, `writeRate`, `abort/...`, `malformed/...`, `idle`, `reconnect`, `reconnect/return`. */
  readonly kind: string;
  /** `result`, an error category, or what we did ourselves: `closed`, `cut`. */
  readonly reaction: string;
}

export function misbehaviourKey(kind: string, reaction: string): string {
  return `${kind}:${reaction}`;
}

export function parseMisbehaviourKey(key: string): MisbehaviourOutcome {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon), reaction: key.slice(colon + 1) };
}

/** Whether a key of samples names a misdeed rather than an error category. */
export function isMisbehaviourKey(key: string): boolean {
  return key.includes(':');
}

/** Categories of operations that failed by our own doing: in the books, never among the errors of the target. */
export function isByUs(category: string): boolean {
  return category.endsWith('_by_us');
}
