/** The keys of misbehaviour in telemetry: `KIND:REACTION`, such as `malformed/oversize:http_413`. */

/** The reaction of a server that answered as if nothing were wrong. */
export const ANSWERED_NORMALLY = 'result';

interface MisbehaviourOutcome {
  /** `readRate`, `writeRate`, `abort/...`, `malformed/...`, `idle`, `reconnect`, `reconnect/return`. */
  readonly kind: string;
  /** `result`, an error category, or our own action: `closed`, `cut`. */
  readonly reaction: string;
}

export function misbehaviourKey(kind: string, reaction: string): string {
  return `${kind}:${reaction}`;
}

export function parseMisbehaviourKey(key: string): MisbehaviourOutcome {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon), reaction: key.slice(colon + 1) };
}

/** Whether a key of samples names misbehaviour rather than an error category. */
export function isMisbehaviourKey(key: string): boolean {
  return key.includes(':');
}

/** Categories of operations that failed because of us: they are counted, but not as errors of the target. */
export function isByUs(category: string): boolean {
  return category.endsWith('_by_us');
}
