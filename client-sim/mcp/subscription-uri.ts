import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { compileRequest, renderRequest } from './compile-request.js';
import { FIRST_ID } from './digits.js';

/**
 * What a client subscribes to by this operation, read off the very message that would be sent: there is one way to draw
 * a value.
 */
export function subscriptionUri(
  operation: OperationPlan,
  draw: { readonly seed: number; readonly slot: number },
): string {
  const template = compileRequest(operation, 0, { era: 'legacy', version: '', sessions: true });
  const message = JSON.parse(renderRequest(template, FIRST_ID, { ...draw, sequence: 0 })) as {
    readonly params: { readonly uri: string };
  };
  return message.params.uri;
}
