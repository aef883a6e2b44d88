/** Whether a value is of the kind that a shape wants, and how to say that it is not. */

import { describeValue, type SourceValue } from '../source/value.js';
import type { Shape } from './shape.js';

export function fits(value: SourceValue, shape: Shape): boolean {
  if (value.kind === 'unknown') return true;
  switch (shape.kind) {
    case 'text':
      return value.kind === 'text';
    case 'integer':
      return value.kind === 'integer' || (value.kind === 'float' && Number.isInteger(value.value));
    case 'number':
      return value.kind === 'integer' || value.kind === 'float';
    case 'flag':
      return value.kind === 'flag';
    case 'nothing':
      return value.kind === 'null';
    case 'printable':
      return value.kind === 'null' ? shape.nothing : ['text', 'integer', 'float', 'time'].includes(value.kind);
    case 'list':
      return value.kind === 'list';
    case 'record':
    case 'table':
      return value.kind === 'map';
    case 'anything':
      return true;
    case 'either':
      return shape.of.some((each) => fits(value, each));
  }
}

export function expected(
  value: SourceValue,
  shapes: readonly Shape[],
): { readonly message: string; readonly hint: string | undefined } {
  const wanted = [...new Set(shapes.map(nameOf))];
  const last = wanted.pop() ?? '';
  const message = `must be ${wanted.length === 0 ? last : `${wanted.join(', ')} or ${last}`}, not ${describeValue(value)}`;
  return { message, hint: hintFor(value, shapes) };
}

function nameOf(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.format === 'port' ? 'a port' : shape.format === 'duration' ? 'a duration' : 'text';
    case 'integer':
      return 'a whole number';
    case 'number':
      return shape.format === 'port' ? 'a port' : 'a number';
    case 'flag':
      return 'true or false';
    case 'nothing':
      return 'nothing';
    case 'printable':
      return shape.nothing ? 'text, a number or nothing' : 'text or a number';
    case 'list':
      return 'a list';
    case 'record':
    case 'table':
    case 'anything':
      return 'a map';
    case 'either':
      return shape.of.map(nameOf).join(' or ');
  }
}

function hintFor(value: SourceValue, shapes: readonly Shape[]): string | undefined {
  const takes = (...kinds: readonly Shape['kind'][]): boolean => shapes.some((shape) => kinds.includes(shape.kind));
  const simple = value.kind !== 'list' && value.kind !== 'map' && value.kind !== 'null' && value.kind !== 'text';
  if (simple && takes('text', 'printable')) return 'put it in quotes';
  if (value.kind !== 'text') return undefined;
  if (takes('integer', 'number') && /^-?\d+(\.\d+)?$/.test(value.text)) return 'leave the quotes out';
  if (takes('flag') && /^(true|false|yes|no|on|off|y|n)$/i.test(value.text))
    return 'write true or false, without quotes';
  return undefined;
}
