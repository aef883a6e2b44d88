/** A YAML value with its place in the file. Its kinds are those of Go's YAML reader, which the CLI is built on. */
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { Scalar } from './scalar.js';

export type SourceValue = (Scalar & Placed) | ListValue | MapValue | UnknownValue;

export type TextValue = Extract<SourceValue, { readonly kind: 'text' }>;

interface Placed {
  readonly at: Position;
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

/** A value that is already refused: nothing else is reported about it. */
interface UnknownValue extends Placed {
  readonly kind: 'unknown';
}

/** The value as messages name it. */
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
