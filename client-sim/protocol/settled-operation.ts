import { z } from 'zod';
import type { Template } from '../../scenarios/schema/grammar/template.js';
import type { OperationPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import { headerPlans, template } from './plan-codec.js';

/** What the preflight found out about one operation that the scenario could not know, and tried on the target. */
export const settledOperation = z.strictObject({
  profile: z.string(),
  operation: z.string(),
  /** What `arguments: auto` came to. */
  params: template.optional(),
  /** Headers that its tool wants made from its arguments. */
  paramHeaders: headerPlans.optional(),
});
export type SettledOperation = z.infer<typeof settledOperation>;

/**
 * An operation whose arguments have been made up. Precondition: its params are constant but for them, as `auto` leaves
 * them.
 */
export function withArguments(operation: OperationPlan, made: Template): OperationPlan {
  const { autoArguments: _made, ...rest } = operation;
  return {
    ...rest,
    params: {
      kind: 'object',
      entries: [
        ['name', { kind: 'constant', json: JSON.stringify(operation.target) }],
        ['arguments', made],
      ],
    },
  };
}

/** The profiles as they are assigned. */
export function withSettled(
  profiles: readonly ProfilePlan[],
  settled: readonly SettledOperation[],
): readonly ProfilePlan[] {
  if (settled.length === 0) return profiles;
  return profiles.map((profile) => ({
    ...profile,
    operations: profile.operations.map((operation) => {
      const found = settled.find((each) => each.profile === profile.name && each.operation === operation.name);
      return found === undefined ? operation : whole(operation, found);
    }),
  }));
}

function whole(operation: OperationPlan, { params, paramHeaders }: SettledOperation): OperationPlan {
  const { autoArguments: _made, ...rest } = operation;
  return {
    ...(params === undefined ? operation : { ...rest, params }),
    ...(paramHeaders === undefined ? {} : { paramHeaders }),
  };
}
