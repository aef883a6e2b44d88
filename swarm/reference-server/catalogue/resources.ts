import { UnknownName } from './contract.js';
import { type Topics, topicUri } from './topics.js';

export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly mimeType: string;
}

export interface ResourceText {
  readonly uri: string;
  readonly mimeType: string;
  readonly text: string;
}

const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1_048_576 };

export const resourceTemplates = [
  {
    uriTemplate: 'bench://static/{size}',
    name: 'static',
    mimeType: 'text/plain',
    description: 'A text of this size: bytes, or with k or m for 1024 or 1048576.',
  },
  {
    uriTemplate: 'bench://topic/{name}',
    name: 'topic',
    mimeType: 'text/plain',
    description: 'What was last published to this topic; can be subscribed to.',
  },
] as const;

export function listResources(topics: Topics): readonly ResourceListing[] {
  return ['bench://static/1k', 'bench://static/64k', ...topics.names().map(topicUri)].map((uri) => ({
    uri,
    name: uri.slice('bench://'.length),
    mimeType: 'text/plain',
  }));
}

/** @throws UnknownName for anything but the two templates */
export function readResource(uri: string, topics: Topics): ResourceText {
  const size = /^bench:\/\/static\/(\d{1,8})([km]?)$/.exec(uri);
  if (size !== null) {
    const bytes = Number(size[1]) * (UNITS[size[2] ?? ''] ?? 1);
    if (bytes > largestFillerBytes) throw new UnknownName('Resource', uri);
    return { uri, mimeType: 'text/plain', text: filler(bytes) };
  }
  const topic = /^bench:\/\/topic\/([\w.-]{1,64})$/.exec(uri);
  if (topic?.[1] === undefined) throw new UnknownName('Resource', uri);
  const { version, message } = topics.read(topic[1]);
  return { uri, mimeType: 'text/plain', text: `${version} ${message}` };
}

/** The largest text. */
export const largestFillerBytes = 8 * 1024 * 1024;

const pattern = 'abcdefghijklmnopqrstuvwxyz0123456789';
const kept = new Map<number, string>();
const keptAtMost = 64;

/** ASCII, so that characters are bytes, and none that JSON escapes. Sizes repeat, so the texts of a few are kept. */
export function filler(bytes: number): string {
  const known = kept.get(bytes);
  if (known !== undefined) return known;
  const made = pattern.repeat(Math.ceil(bytes / pattern.length)).slice(0, bytes);
  if (kept.size >= keptAtMost) kept.clear();
  kept.set(bytes, made);
  return made;
}
