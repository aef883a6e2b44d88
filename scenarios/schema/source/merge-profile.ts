/** A workload: a profile with a scenario's overrides over it. */

import type { MapEntry, MapNode } from './node.js';
import { withEntry, withoutEntry } from './node.js';

/** Maps whose keys are overridden one by one; any other key is replaced as a whole. */
const mergedKeys: ReadonlySet<string> = new Set(['arrivals', 'misbehave', 'stream']);

/** A client has one of these; giving one takes the other away. */
const rivals: Readonly<Record<string, string>> = { arrivals: 'thinkTime', thinkTime: 'arrivals' };

/** `misbehave.idle` says when a client calls, as `arrivals` and `thinkTime` do. */
const paces = Object.keys(rivals);
function idles(entry: MapEntry | undefined): boolean {
  return entry?.node.kind === 'map' && entry.node.entries.has('idle');
}

/** @param name entry the result goes by, with the place where it is written */
export function mergeProfile(base: MapNode, overrides: MapNode, name: MapEntry): MapNode {
  let merged = withEntry(base, 'name', name);
  for (const [key, entry] of overrides.entries) {
    if (key === 'profile') continue;
    const rival = rivals[key];
    if (rival !== undefined && !overrides.entries.has(rival)) merged = withoutEntry(merged, rival);
    merged = withEntry(merged, key, mergeEntry(key, merged.entries.get(key), entry));
  }
  if (idles(overrides.entries.get('misbehave'))) {
    for (const pace of paces) if (!overrides.entries.has(pace)) merged = withoutEntry(merged, pace);
  }
  return { ...merged, at: name.keyAt };
}

/** For a single key that was set on the merged profile; `path` as its names, such as `misbehave`, `idle`. */
export function withoutRival(profile: MapNode, path: readonly (string | undefined)[]): MapNode {
  const [key = '', inner] = path;
  if (key === 'misbehave' && inner === 'idle') return paces.reduce(withoutEntry, profile);
  const rival = rivals[key];
  return rival === undefined ? profile : withoutEntry(profile, rival);
}

function mergeEntry(key: string, base: MapEntry | undefined, over: MapEntry): MapEntry {
  if (!mergedKeys.has(key) || base?.node.kind !== 'map' || over.node.kind !== 'map') return over;
  return { keyAt: over.keyAt, node: { ...base.node, entries: new Map([...base.node.entries, ...over.node.entries]) } };
}
