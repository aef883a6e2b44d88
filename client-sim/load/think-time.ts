import type { ThinkTimePlan } from '../../scenarios/schema/plan.js';
import { STREAM, uniform } from './uniform.js';

/** Pause after operation `sequence` of a client, milliseconds; drawn from the seed. */
export function thinkTimeMs(plan: ThinkTimePlan, seed: number, slot: number, sequence: number): number {
  switch (plan.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return plan.ms;
    case 'uniform':
      return plan.minMs + (plan.maxMs - plan.minMs) * uniform(seed, slot, sequence, STREAM.thinkTime);
    case 'exponential':
      return -Math.log(uniform(seed, slot, sequence, STREAM.thinkTime)) * plan.meanMs;
  }
}

/** Mean pause, milliseconds: over this the first operations of clients that start together are spread. */
export function meanThinkTimeMs(plan: ThinkTimePlan): number {
  switch (plan.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return plan.ms;
    case 'uniform':
      return (plan.minMs + plan.maxMs) / 2;
    case 'exponential':
      return plan.meanMs;
  }
}
