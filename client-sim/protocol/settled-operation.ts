import { z } from 'zod';
import type { Template } from '../../scenarios/schema/grammar/template.js';
import type { OperationPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import { headerPlans, template } from './plan-codec.js';

/** What preflight has determined about one operation from the target and tried on it. */
export const settledOperation = z.strictObject({
  profile: z.string(),
  operation: z.string(),
  /** The parameters that resulted from `arguments: auto`. */
  params: template.optional(),
  /** The headers that its tool declares for its arguments. */
  paramHeaders: headerPlans.optional(),
  /** The schema of its tool's structured content, as JSON. */
  outputSchema: z.string().optional(),
  /** The operation that stands for every tool, when this is one of the tools in its place. */
  inPlaceOf: z.string().optional(),
});
export type SettledOperation = z.infer<typeof settledOperation>;

/**
 * The operation with generated arguments. Precondition: its params are constant except for them, as `auto` leaves them.
 */
export function withArguments(operation: OperationPlan, generated: Template): OperationPlan {
  const { autoArguments: _auto, ...rest } = operation;
  return {
    ...rest,
    params: {
      kind: 'object',
      entries: [
        ['name', { kind: 'constant', json: JSON.stringify(operation.target) }],
        ['arguments', generated],
      ],
    },
  };
}

/** The profiles with their settled operations, as they are assigned to workers. */
export function withSettled(
  profiles: readonly ProfilePlan[],
  settled: readonly SettledOperation[],
): readonly ProfilePlan[] {
  if (settled.length === 0) return profiles;
  return withEveryTool(profiles, settled).map((profile) => ({
    ...profile,
    operations: profile.operations.map((operation) => {
      const found = settled.find((each) => each.profile === profile.name && each.operation === operation.name);
      return found === undefined ? operation : settledPlan(operation, found);
    }),
  }));
}

/** The profiles with the tools in place of the operation that stands for all of them; nothing else is changed. */
export function withEveryTool(
  profiles: readonly ProfilePlan[],
  settled: readonly SettledOperation[],
): readonly ProfilePlan[] {
  return profiles.map((profile) => ({
    ...profile,
    operations: profile.operations.flatMap((operation) => {
      if (operation.everyTool !== true) return operation;
      const tools = settled.filter((each) => each.profile === profile.name && each.inPlaceOf === operation.name);
      return tools.length === 0 ? operation : tools.map(({ operation: tool }) => toolCall(tool, operation));
    }),
  }));
}

/** A call of one tool, in place of the operation that stands for all of them. */
export function toolCall(tool: string, { everyTool: _every, ...operation }: OperationPlan): OperationPlan {
  const params: Template = { kind: 'constant', json: JSON.stringify({ name: tool, arguments: {} }) };
  return { ...operation, name: tool, target: tool, params, autoArguments: true };
}

function settledPlan(
  operation: OperationPlan,
  { params, paramHeaders, outputSchema }: SettledOperation,
): OperationPlan {
  const { autoArguments: _auto, ...rest } = operation;
  return {
    ...(params === undefined ? operation : { ...rest, params }),
    ...(paramHeaders === undefined ? {} : { paramHeaders }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}
