/** The stages of a plan, as totals and seconds are selected by them. */
import type { Plan } from '../../../scenarios/schema/plan.js';

/** A stretch of run time in milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Indices of the stages that count for thresholds. */
export function measuredStages({ stages }: Pick<Plan, 'stages'>): readonly number[] {
  return stages.filter(({ measured }) => measured).map(({ index }) => index);
}

export function allStages({ stages }: Pick<Plan, 'stages'>): readonly number[] {
  return stages.map(({ index }) => index);
}

/** Run time at which the last stage is planned to end, ms. */
export function plannedEndMs({ stages }: Pick<Plan, 'stages'>): number {
  return stages.reduce((end, { startMs, durationMs }) => Math.max(end, startMs + durationMs), 0);
}

/** When these stages are planned. @param indices of stages */
export function spansOf({ stages }: Pick<Plan, 'stages'>, indices: readonly number[]): readonly Span[] {
  return stages
    .filter(({ index }) => indices.includes(index))
    .map(({ startMs, durationMs }) => ({ fromMs: startMs, toMs: startMs + durationMs }));
}

/** Whether what ends or is sampled at this moment belongs to one of the spans. */
export function isWithin(spans: readonly Span[], atMs: number): boolean {
  return spans.some(({ fromMs, toMs }) => atMs > fromMs && atMs <= toMs);
}
