import { takesPart } from '../../scenarios/schema/offered-load.js';
import type { LoadSegment, StagePlan } from '../../scenarios/schema/plan.js';

/** What of a stage decides the load; times are run time in milliseconds. */
export type LoadStage = Pick<StagePlan, 'index' | 'startMs' | 'durationMs' | 'scale' | 'segments' | 'profiles'>;
export type LoadShape = readonly LoadStage[];

/** The shape as one profile sees it: stages it does not take part in have no load. */
export function shapeFor(shape: LoadShape, profile: string): LoadShape {
  return shape.map((stage) =>
    takesPart(stage, profile)
      ? stage
      : { ...stage, scale: 'clients', segments: stage.segments.map((segment) => ({ ...segment, from: 0, to: 0 })) },
  );
}

interface Adjustment {
  readonly stage: number;
  readonly atMs: number;
  readonly load: number;
}

export function stageEndMs(stage: LoadStage): number {
  return stage.startMs + stage.durationMs;
}

/**
 * The same shape up to `atMs`; from there to the end of that stage the load is constant. Other stages are untouched.
 */
export function adjustShape(shape: LoadShape, adjustment: Adjustment): LoadShape {
  return shape.map((stage) => {
    const endMs = stageEndMs(stage);
    if (stage.index !== adjustment.stage || adjustment.atMs >= endMs) return stage;
    const atMs = Math.max(adjustment.atMs, stage.startMs);
    const kept = stage.segments.filter((segment) => segment.startMs < atMs).map((segment) => cut(segment, atMs));
    return { ...stage, segments: [...kept, { startMs: atMs, endMs, from: adjustment.load, to: adjustment.load }] };
  });
}

function cut(segment: LoadSegment, atMs: number): LoadSegment {
  if (segment.endMs <= atMs) return segment;
  const share = (atMs - segment.startMs) / (segment.endMs - segment.startMs);
  return { ...segment, endMs: atMs, to: segment.from + (segment.to - segment.from) * share };
}
