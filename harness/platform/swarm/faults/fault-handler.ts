import type { FaultPlan, Plan } from '../../../../scenarios/schema/plan.js';
import type { FaultContext, FaultEffect, FaultSubject } from '../../platform.js';
import type { Stack } from '../stack/stack-objects.js';
import type { Agents } from './node-agents.js';

/** A stack with the agents on its nodes. */
export interface FaultStack extends Stack {
  readonly agents: Agents;
  /** Whether this process is in the networks of the stack, so that it can look at replicas and the gateway. */
  readonly isInside: boolean;
}

/** What shows that a fault is in effect, or what was seen instead; undefined: nothing. */
export type Shown = string | { readonly notYet: string } | undefined;

/** How the swarm platform handles one kind of fault: a file beside this one, and a line in `injector.ts`. */
export interface FaultHandler<Fault extends FaultPlan> {
  /** A sentence that says why this plan cannot have this fault. Pure. */
  refusal(fault: Fault, plan: Plan): string | undefined;
  // The other methods are those of `FaultInjector`, which says what each must do.
  inspect(stack: FaultStack, fault: Fault, context: FaultContext, signal: AbortSignal): Promise<FaultSubject>;
  inject(stack: FaultStack, fault: Fault, subject: FaultSubject, progress: number, signal: AbortSignal): Promise<void>;
  maintain?(
    stack: FaultStack,
    fault: Fault,
    subject: FaultSubject,
    progress: number,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  undo(stack: FaultStack, fault: Fault, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  undoByForce?(stack: FaultStack, fault: Fault, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  waitForEffect(
    stack: FaultStack,
    fault: Fault,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect>;
}
