/** All kinds of faults that the swarm platform can do. */
import type { FaultPlan, Plan } from '../../../../scenarios/schema/plan.js';
import type { FaultInjector } from '../../platform.js';
import type { Stack } from '../stack/stack-objects.js';
import type { FaultAction } from './fault-action.js';
import { scale } from './scale.js';

type Of<Kind extends FaultPlan['kind']> = Extract<FaultPlan, { readonly kind: Kind }>;

const actions = { scale } as const satisfies { readonly [Kind in FaultPlan['kind']]: FaultAction<Of<Kind>> };

function actionOf<Kind extends FaultPlan['kind']>({ kind }: { readonly kind: Kind }): FaultAction<Of<Kind>> {
  return actions[kind];
}

export function createInjector(stack: Stack): FaultInjector {
  return {
    look: (fault, signal) => actionOf(fault).look(stack, fault, signal),
    inject: (fault, subject, signal) => actionOf(fault).inject(stack, fault, subject, signal),
    undo: (fault, subject, signal) => actionOf(fault).undo(stack, fault, subject, signal),
    effect: (fault, subject, phase, signal) => actionOf(fault).effect(stack, fault, subject, phase, signal),
  };
}

/** What of a plan's faults cannot be done here, by name. Pure. */
export function faultRefusals(plan: Plan): readonly string[] {
  return plan.faults.flatMap((fault) => actionOf(fault).refusal(fault, plan) ?? []);
}
