import type { Placeholder, Template } from '../../../scenarios/schema/template.js';

/** Bytes of the JSON a template yields, on average; exact for constants. */
export function templateBytes(template: Template): number {
  switch (template.kind) {
    case 'constant':
      return Buffer.byteLength(template.json);
    case 'number':
      return placeholderBytes(template.draw);
    case 'string':
      return (
        2 +
        sum(template.parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : placeholderBytes(part))))
      );
    case 'array':
      return 2 + separators(template.items.length) + sum(template.items.map(templateBytes));
    case 'object':
      return (
        2 +
        separators(template.entries.length) +
        sum(template.entries.map(([key, value]) => Buffer.byteLength(key) + 3 + templateBytes(value)))
      );
  }
}

function placeholderBytes(placeholder: Placeholder): number {
  switch (placeholder.name) {
    case 'text':
      return placeholder.length;
    case 'int':
      return Math.max(String(placeholder.min).length, String(placeholder.max).length);
    case 'pick':
      return sum(placeholder.items.map((item) => Buffer.byteLength(item))) / placeholder.items.length;
    case 'uuid':
      return 36;
    case 'client':
      return 4;
    case 'seq':
      return 5;
    case 'now':
      return 13;
    case 'stamp':
      return 60;
  }
}

function separators(items: number): number {
  return Math.max(0, items - 1);
}
function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
