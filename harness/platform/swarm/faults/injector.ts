/** All kinds of faults that the swarm platform can inject. */
import type { FaultPlan, Plan } from '../../../../scenarios/schema/plan.js';
import type { FaultInjector } from '../../platform.js';
import type { Stack } from '../stack/stack-objects.js';
import type { FaultHandler } from './fault-handler.js';
import { scale } from './scale.js';

type Kind = FaultPlan['kind'];
type FaultOf<K extends Kind> = Extract<FaultPlan, { readonly kind: K }>;

const handlers: { readonly [K in Kind]: FaultHandler<FaultOf<K>> } = { scale };

function handlerOf<K extends Kind>({ kind }: { readonly kind: K }): FaultHandler<FaultOf<K>> {
  return handlers[kind];
}

export function createInjector(stack: Stack): FaultInjector {
  return {
    inspect: (fault, signal) => handlerOf(fault).inspect(stack, fault, signal),
    inject: (fault, subject, signal) => handlerOf(fault).inject(stack, fault, subject, signal),
    undo: (fault, subject, signal) => handlerOf(fault).undo(stack, fault, subject, signal),
    waitForEffect: (fault, subject, phase, signal) =>
      handlerOf(fault).waitForEffect(stack, fault, subject, phase, signal),
  };
}

/** Why faults of this plan cannot be injected here, one sentence for each reason. Pure. */
export function faultRefusals(plan: Plan): readonly string[] {
  return plan.faults.flatMap((fault) => handlerOf(fault).refusal(fault, plan) ?? []);
}
