/** A file against its shape: every problem with its place, the nearest key, and what would be right. */
import { nearest } from '../../../../../scenarios/yaml/nearest.js';
import { parseDuration } from '../go/numbers.js';
import { portSpecProblem } from '../load/ports.js';
import type { Findings } from '../problem.js';
import {
  describeValue,
  identity,
  type ListValue,
  type MapValue,
  type SourceValue,
  type TextValue,
} from '../source/value.js';
import { COMPOSE_ONLY } from './known-keys.js';
import { expected, fits } from './messages.js';
import type { ListShape, RecordShape, Shape, TableShape, TextShape } from './shape.js';

/** @param minor the file's format, 3.minor: newer keys are refused */
export function checkShape(value: SourceValue, shape: Shape, path: string, minor: number, findings: Findings): void {
  new Check(minor, findings).any(value, shape, path);
}

class Check {
  constructor(
    private readonly minor: number,
    private readonly findings: Findings,
  ) {}

  any(value: SourceValue, shape: Shape, path: string): void {
    if (shape.kind === 'either') {
      const alternatives = shape.of.filter((each) => each.kind !== 'record' || (each.since ?? 0) <= this.minor);
      const chosen = alternatives.find((each) => fits(value, each));
      if (chosen === undefined) this.wrongKind(value, alternatives, path);
      else this.any(value, chosen, path);
      return;
    }
    if (!fits(value, shape)) this.wrongKind(value, [shape], path);
    else if (shape.kind === 'text') this.text(value, shape, path);
    else if (shape.kind === 'number' && shape.format === 'port') this.port(value, path);
    else if (shape.kind === 'integer') this.range(value, shape.min, undefined, path);
    else if (shape.kind === 'number') this.range(value, shape.min, shape.max, path);
    else if (shape.kind === 'printable') this.printable(value, path);
    else if (shape.kind === 'list' && value.kind === 'list') this.list(value, shape, path);
    else if (shape.kind === 'record' && value.kind === 'map') this.record(value, shape, path);
    else if (shape.kind === 'table' && value.kind === 'map') this.table(value, shape, path);
  }

  private record(value: MapValue, shape: RecordShape, path: string): void {
    for (const [name, { keyAt, value: inner }] of value.entries) {
      const at = path === '' ? name : `${path}.${name}`;
      const key = Object.hasOwn(shape.keys, name) ? shape.keys[name] : undefined;
      if (key !== undefined && key.since <= this.minor) this.any(inner, key.shape, at);
      else if (key !== undefined) this.tooNew(keyAt, at, key.since);
      else if (name.startsWith('x-') && shape.extensionsSince !== undefined && this.minor >= shape.extensionsSince)
        continue;
      else if (shape.others === 'dropped')
        this.findings.warn(keyAt, 'IGNORED', at, 'is not known and ignored', near(name, shape, COMPOSE_ONLY[name]));
      else if (shape.others === 'refused')
        this.findings.refuse(keyAt, 'UNKNOWN_KEY', at, 'there is no such key', near(name, shape, COMPOSE_ONLY[name]));
    }
    for (const name of shape.required ?? []) {
      if (!value.entries.has(name)) this.findings.refuse(value.at, 'MISSING_KEY', path, `must have the key "${name}"`);
    }
  }

  private table(value: MapValue, shape: TableShape, path: string): void {
    for (const [name, { keyAt, value: inner }] of value.entries) {
      const extension = path === '' && name.startsWith('x-');
      if (!extension && shape.names !== undefined && !shape.names.test(name)) {
        this.findings.refuse(
          keyAt,
          'UNKNOWN_KEY',
          path,
          `"${name}" is no possible name`,
          'letters, digits, dot, dash and underscore can be used',
        );
      } else this.any(inner, shape.of, `${path}.${name}`);
    }
  }

  private list(value: ListValue, shape: ListShape, path: string): void {
    const seen = new Map<string, number>();
    value.items.forEach((item, index) => {
      this.any(item, shape.of, `${path}[${index}]`);
      const same = seen.get(identity(item));
      if (shape.unique && same !== undefined)
        this.findings.refuse(
          item.at,
          'INVALID_VALUE',
          `${path}[${index}]`,
          `is the same as item ${same}`,
          'leave one of them out',
        );
      seen.set(identity(item), index);
    });
  }

  private text(value: SourceValue, shape: TextShape, path: string): void {
    if (value.kind !== 'text') return;
    if (shape.oneOf !== undefined && !shape.oneOf.includes(value.text.toLowerCase())) {
      this.findings.refuse(
        value.at,
        'INVALID_VALUE',
        path,
        `must be ${shape.oneOf.filter(Boolean).join(' or ')}, not "${value.text}"`,
      );
    }
    if (shape.format === 'duration') this.duration(value, shape.min, path);
    if (shape.format === 'port') this.port(value, path);
  }

  private port(value: SourceValue, path: string): void {
    const spec = value.kind === 'text' ? value.text : value.kind === 'integer' ? String(value.value) : undefined;
    const problem = spec === undefined ? `${describeValue(value)} is no port` : portSpecProblem(spec);
    if (problem !== undefined)
      this.findings.refuse(
        value.at,
        'INVALID_VALUE',
        path,
        problem,
        '[published:]target[/tcp|udp|sctp], each a port or a range',
      );
  }

  private duration(value: TextValue, min: number | undefined, path: string): void {
    const ns = parseDuration(value.text);
    if (ns === undefined) {
      this.findings.refuse(
        value.at,
        'INVALID_VALUE',
        path,
        `"${value.text}" is no duration`,
        'a number and a unit, as in 500ms, 10s or 1m30s',
      );
    } else if (min !== undefined && ns !== 0 && ns < min) {
      this.findings.refuse(
        value.at,
        'INVALID_VALUE',
        path,
        min === 0 ? 'cannot be negative' : `cannot be shorter than ${min / 1e6} ms`,
      );
    }
  }

  private range(
    value: SourceValue,
    min = Number.NEGATIVE_INFINITY,
    max = Number.POSITIVE_INFINITY,
    path: string,
  ): void {
    if (
      (value.kind !== 'integer' && value.kind !== 'float') ||
      (Number(value.value) >= min && Number(value.value) <= max)
    )
      return;
    const wanted = max === Number.POSITIVE_INFINITY ? `${min} or more` : `from ${min} to ${max}`;
    this.findings.refuse(value.at, 'INVALID_VALUE', path, `must be ${wanted}, not ${value.value}`);
  }

  private printable(value: SourceValue, path: string): void {
    if (value.kind === 'time')
      this.findings.warn(
        value.at,
        'SURPRISE',
        path,
        `is read as a date and becomes "${value.text}"`,
        'put it in quotes',
      );
  }

  private wrongKind(value: SourceValue, shapes: readonly Shape[], path: string): void {
    const { message, hint } = expected(value, shapes);
    const special = path.endsWith('.depends_on') ? 'a Swarm takes a list of names here, and ignores it' : hint;
    this.findings.refuse(value.at, 'INVALID_VALUE', path, message, special);
  }

  private tooNew(at: SourceValue['at'], path: string, since: number): void {
    const message = `is known since format 3.${since}, and the file says 3.${this.minor}`;
    this.findings.refuse(at, 'UNKNOWN_KEY', path, message, 'leave `version` out to get the newest format');
  }
}

function near(name: string, shape: RecordShape, known: string | undefined): string | undefined {
  if (known !== undefined) return known;
  const close = nearest(name, Object.keys(shape.keys));
  return close === undefined ? `the keys are ${Object.keys(shape.keys).join(', ')}` : `did you mean "${close}"?`;
}
