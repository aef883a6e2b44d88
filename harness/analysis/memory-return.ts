/** Whether the target gives memory back: what it held before a stage, at its end, and after a rest without load. */
import type { Plan, StagePlan } from '../../scenarios/schema/plan.js';
import type { Aggregate } from './contract.js';
import { memoryOf } from './session-memory.js';

export interface MemoryReturn {
  readonly restSeconds: number;
  /**
   * Of all replicas together: the median of the last samples before the stage, in the stage, and in the rest after it.
   */
  readonly beforeBytes: number;
  readonly endBytes: number;
  readonly afterBytes: number;
  /** Of what was added in the stage; 0 where it grew on, undefined where nothing was added. */
  readonly share: number | undefined;
}

/** One sample may be a peak between two collections; so many are not. */
const samples = 5;

/** @returns undefined where no rest follows the stage, or too little is known of the memory */
export function memoryReturn(plan: Plan, aggregate: Aggregate, stage: StagePlan): MemoryReturn | undefined {
  const rest = plan.stages.find(({ index }) => index === stage.index + 1);
  if (rest === undefined || rest.segments.some(({ from, to }) => from > 0 || to > 0)) return undefined;
  const memory = memoryOf(aggregate.usage().filter(({ role }) => role === 'target'));
  const level = (fromMs: number, toMs: number): number | undefined => {
    const last = memory
      .filter(({ atMs }) => atMs > fromMs && atMs <= toMs)
      .slice(-samples)
      .map(({ bytes }) => bytes)
      .sort((a, b) => a - b);
    return last[Math.floor(last.length / 2)];
  };
  const [endMs, restEndMs] = [stage.startMs + stage.durationMs, rest.startMs + rest.durationMs];
  // What was before a first stage is the first that is known of it.
  const beforeBytes = level(-Infinity, stage.startMs) ?? memory[0]?.bytes;
  const endBytes = level(stage.startMs, endMs);
  const afterBytes = level(rest.startMs, restEndMs);
  if (beforeBytes === undefined || endBytes === undefined || afterBytes === undefined) return undefined;
  const added = endBytes - beforeBytes;
  return {
    restSeconds: rest.durationMs / 1000,
    beforeBytes,
    endBytes,
    afterBytes,
    share: added > 0 ? Math.max(0, endBytes - afterBytes) / added : undefined,
  };
}
