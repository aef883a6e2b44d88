/**
 * Puts variables into every text value of a file (never into keys) and casts the result where a number or a flag is
 * wanted.
 */
import type { Findings } from '../problem.js';
import { describeValue, type MapEntry, type MapValue, type SourceValue, type TextValue } from '../source/value.js';
import { castFor } from './casts.js';
import { type Lookup, substitute } from './substitute.js';

export function interpolate(file: MapValue, lookup: Lookup, findings: Findings): MapValue {
  return map(file, []);

  function map(value: MapValue, path: readonly string[]): MapValue {
    const entries = [...value.entries].map(([key, entry]): [string, MapEntry] => [
      key,
      { ...entry, value: any(entry.value, [...path, key]) },
    ]);
    return { ...value, entries: new Map(entries) };
  }

  function any(value: SourceValue, path: readonly string[]): SourceValue {
    switch (value.kind) {
      case 'map':
        return map(value, path);
      case 'list':
        return { ...value, items: value.items.map((item) => any(item, [...path, '[]'])) };
      case 'text':
        return text(value, path);
      default:
        return value;
    }
  }

  function text(value: TextValue, path: readonly string[]): SourceValue {
    const outcome = substitute(value.text, lookup);
    const name = path.join('.').replaceAll('.[]', '[]');
    if (outcome.kind === 'refused') {
      findings.refuse(value.at, 'INTERPOLATION', name, outcome.message, outcome.hint);
      return { kind: 'unknown', at: value.at };
    }
    for (const surprise of outcome.surprises) findings.warn(value.at, 'SURPRISE', name, surprise);
    // What no variable touched keeps its kind: a quoted "2" is text, and stays it.
    if (outcome.text === value.text) return value;
    const substituted = { ...value, text: outcome.text };
    const cast = castFor(path)?.(substituted);
    if (cast === undefined) return substituted;
    if (cast.kind !== 'wrong') return cast;
    findings.refuse(
      value.at,
      'INTERPOLATION',
      name,
      `"${value.text}" became ${describeValue(substituted)} and must become ${cast.expected}`,
    );
    return { kind: 'unknown', at: value.at };
  }
}
