import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';

/** A template as JSON text with placeholders in between; the positions of placeholders count from 1, in this order. */
export function flattened(template: Template): readonly (string | Placeholder)[] {
  const parts: (string | Placeholder)[] = [];
  flatten(template, parts);
  return parts;
}

export function flatten(template: Template, into: (string | Placeholder)[]): void {
  switch (template.kind) {
    case 'constant':
      into.push(template.json);
      return;
    case 'number':
      into.push(template.draw);
      return;
    case 'string':
      into.push(
        '"',
        ...template.parts.map((part) => (typeof part === 'string' ? JSON.stringify(part).slice(1, -1) : part)),
        '"',
      );
      return;
    case 'array':
      into.push('[');
      template.items.forEach((item, index) => {
        if (index > 0) into.push(',');
        flatten(item, into);
      });
      into.push(']');
      return;
    case 'object':
      into.push('{');
      template.entries.forEach(([key, value], index) => {
        into.push(`${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
        flatten(value, into);
      });
      into.push('}');
  }
}
