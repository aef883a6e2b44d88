/** `{{ stamp }}`: what makes an operation a publication. */
import type { OperationPlan } from '../plan.js';
import type { Placeholder, Template } from '../template.js';
import type { Part } from './context.js';

export function placeholdersOf(template: Template): readonly Placeholder[] {
  switch (template.kind) {
    case 'constant':
      return [];
    case 'number':
      return [template.draw];
    case 'string':
      return template.parts.filter((part) => typeof part !== 'string');
    case 'array':
      return template.items.flatMap(placeholdersOf);
    case 'object':
      return template.entries.flatMap(([, value]) => placeholdersOf(value));
  }
}

export function isStamped(params: Template): boolean {
  return placeholdersOf(params).some(({ name }) => name === 'stamp');
}

/**
 * Subscribers count by a publisher's numbers, so a publisher must keep to one topic: one such operation a profile, and
 * nothing in it that chooses (`pick`, `int`), for a topic chosen anew each time would leave gaps in every one.
 */
export function checkStamps(operations: readonly OperationPlan[], profile: Part): void {
  const stamped = operations.flatMap((operation, index) => (operation.stamped === true ? [{ operation, index }] : []));
  for (const { operation, index } of stamped) {
    const choosing = placeholdersOf(operation.params).find(({ name }) => name === 'pick' || name === 'int');
    if (choosing !== undefined) {
      profile.wrongValue(
        ['operations', index],
        'CONFLICT',
        `\`{{ ${choosing.name} }}\` beside \`{{ stamp }}\`: subscribers count by a publisher's numbers, so it must keep to one topic`,
        'use {{ client 10 }} to spread publishers over 10 topics',
      );
    }
  }
  const second = stamped[1];
  if (second !== undefined) {
    profile.wrongValue(
      ['operations', second.index],
      'CONFLICT',
      'a second operation with `{{ stamp }}`: a publisher counts one kind of publication',
      'put it into a profile of its own',
    );
  }
}
