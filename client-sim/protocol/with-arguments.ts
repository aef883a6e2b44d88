import type { OperationPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import type { Template } from '../../scenarios/schema/template.js';
import type { ArgumentsMade } from './messages.js';

/** An operation whose arguments have been made up. Precondition: its params are constant but for them, as `auto` leaves them. */
export function withArguments(operation: OperationPlan, made: Template): OperationPlan {
  const { autoArguments: _made, ...rest } = operation;
  return { ...rest, params: { kind: 'object', entries: [['name', { kind: 'constant', json: JSON.stringify(operation.target) }], ['arguments', made]] } };
}

/** The profiles as they are assigned: `auto` replaced with what the preflight made and tried. */
export function withAllArguments(profiles: readonly ProfilePlan[], made: readonly ArgumentsMade[]): readonly ProfilePlan[] {
  if (made.length === 0) return profiles;
  return profiles.map((profile) => ({
    ...profile,
    operations: profile.operations.map((operation) => {
      const found = made.find((each) => each.profile === profile.name && each.operation === operation.name);
      if (found === undefined) return operation;
      const { autoArguments: _made, ...rest } = operation;
      return { ...rest, params: found.params };
    }),
  }));
}
