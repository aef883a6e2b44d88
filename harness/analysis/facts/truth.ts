/** What the servers behind the targets say of how much they have answered: which are asked, and what they said when. */
import type { Plan, StagePlan, TargetPlan, TruthPlan } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';

/** Counts since the server started, by operation; '' where it does not tell operations apart. */
export type TruthCounts = Readonly<Record<string, number>>;

export interface TruthReading {
  /** Run time when it was asked for, and when it was there. */
  readonly askedMs: number;
  readonly atMs: number;
  readonly counts: TruthCounts;
}

/** A server to ask, or all replicas of the reference server together. */
export type TruthSource = TruthPlan | 'reference';

export interface AskedTruth {
  readonly id: string;
  readonly source: TruthSource;
  /** Undefined: of the whole run. */
  readonly arm: string | undefined;
}

/** Who is asked for each arm, or for the run; empty where nobody can tell. */
export function askedTruths({ target, truth, arms }: Pick<Plan, 'target' | 'truth' | 'arms'>): readonly AskedTruth[] {
  const asked = (of: TargetPlan, own: TruthPlan | undefined, arm: string | undefined): readonly AskedTruth[] => {
    const source = own ?? (arm !== undefined && of.kind === 'reference' ? 'reference' : undefined);
    return source === undefined ? [] : [{ id: idOf(source), source, arm }];
  };
  if (arms === undefined) return asked(target, truth, undefined);
  return arms.flatMap((arm) => asked(arm.target, arm.truth, arm.name));
}

/** The same for a plan as it is in the log, where secrets are left out. */
function idOf(source: TruthSource): string {
  if (source === 'reference') return source;
  const { url, jsonPath, query = '' } = source;
  return [shownUrl(url), jsonPath === undefined ? '' : JSON.stringify(jsonPath), query].join(' ').trim();
}

/** How long before its load begins a turn is read: what the arm before has sent is answered then. */
const BEFORE_LOAD_MS = 100;

/** When the counts are read while the load is on, beside its beginning and its end: before each turn of an arm. */
export function readingTimes({ stages, arms }: Pick<Plan, 'stages' | 'arms'>): readonly number[] {
  if (arms === undefined) return [];
  return stages
    .map((stage) => ({ stage, atMs: loadBeginsMs(stage) - BEFORE_LOAD_MS }))
    .filter(({ stage, atMs }) => atMs > stage.startMs)
    .map(({ atMs }) => atMs);
}

/** Run time at which clients become active. */
export function loadBeginsMs({ segments, startMs }: StagePlan): number {
  return segments.find(({ from, to }) => from > 0 || to > 0)?.startMs ?? startMs;
}
