import type { FaultPlan, Plan } from '../../../../scenarios/schema/plan.js';
import type { FaultEffect, FaultSubject } from '../../platform.js';
import type { Stack } from '../stack/stack-objects.js';

/** One kind of fault on a swarm: a file beside this one, and a line in `injector.ts`. */
export interface FaultAction<Fault extends FaultPlan> {
  /** Why it cannot be done in this plan, in words. Pure. */
  refusal(fault: Fault, plan: Plan): string | undefined;
  /** See `FaultInjector`. */
  look(stack: Stack, fault: Fault, signal: AbortSignal): Promise<FaultSubject>;
  inject(stack: Stack, fault: Fault, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  undo(stack: Stack, fault: Fault, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  effect(
    stack: Stack,
    fault: Fault,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect>;
}
