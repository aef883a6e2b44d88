import { takesPart } from '../../scenarios/schema/offered-load.js';
import type { LoadSegment, StagePlan } from '../../scenarios/schema/plan.js';

/** The part of a stage that decides the load; times are run time in milliseconds. */
export type LoadStage = Pick<StagePlan, 'index' | 'startMs' | 'durationMs' | 'scale' | 'segments' | 'profiles'>;
export type LoadShape = readonly LoadStage[];

/** The shape for one profile: stages in which it does not take part have no load. */
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

/** The same shape with a constant load from `atMs` to the end of that stage. */
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
