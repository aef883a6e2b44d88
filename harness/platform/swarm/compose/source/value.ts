/**
 * A YAML value that remembers where it was written. Kinds are those that Go's YAML reader knows, since the CLI is built
 * on it.
 */
import type { Position } from '../../../../../scenarios/yaml/problem.js';

export type SourceValue =
  | TextValue
  | IntegerValue
  | FloatValue
  | FlagValue
  | NullValue
  | TimeValue
  | ListValue
  | MapValue
  | UnknownValue;

interface Placed {
  readonly at: Position;
}

export interface TextValue extends Placed {
  readonly kind: 'text';
  readonly text: string;
}

interface IntegerValue extends Placed {
  readonly kind: 'integer';
  readonly value: bigint;
}

interface FloatValue extends Placed {
  readonly kind: 'float';
  readonly value: number;
}

interface FlagValue extends Placed {
  readonly kind: 'flag';
  readonly value: boolean;
}

interface NullValue extends Placed {
  readonly kind: 'null';
}

/** Could not be worked out; the problem has been reported, and whoever meets the value reports no other. */
export interface UnknownValue extends Placed {
  readonly kind: 'unknown';
}

interface TimeValue extends Placed {
  readonly kind: 'time';
  /** As Go prints it, which is how it reaches a container. */
  readonly text: string;
}

export interface ListValue extends Placed {
  readonly kind: 'list';
  readonly items: readonly SourceValue[];
}

export interface MapValue extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly keyAt: Position;
  readonly value: SourceValue;
}

/** What this value is called in messages. */
export function describeValue(value: SourceValue): string {
  switch (value.kind) {
    case 'text':
      return `text "${value.text}"`;
    case 'integer':
    case 'float':
      return `the number ${value.value}`;
    case 'flag':
      return `${value.value}`;
    case 'null':
      return 'nothing';
    case 'unknown':
      return 'a wrong value';
    case 'time':
      return `the date ${value.text}`;
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
  }
}

/** Equal when both would be equal JSON. Used to find repeated list items. */
export function identity(value: SourceValue): string {
  switch (value.kind) {
    case 'text':
    case 'time':
      return JSON.stringify(value.text);
    case 'integer':
    case 'float':
    case 'flag':
      return String(value.value);
    case 'null':
      return 'null';
    case 'unknown':
      return `unknown at ${value.at.line}:${value.at.column}`;
    case 'list':
      return `[${value.items.map(identity).join()}]`;
    case 'map':
      return `{${[...value.entries]
        .map(([key, entry]) => `${JSON.stringify(key)}:${identity(entry.value)}`)
        .sort()
        .join()}}`;
  }
}
