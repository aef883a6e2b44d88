import type { Plan, StagePlan } from '../../../scenarios/schema/plan.js';
import { whole } from '../format.js';
import type { Aggregate, Second, UsageSeries } from '../merge/contract.js';
import { fitLine, type LineFit, type Point } from './fit-line.js';

/** What a session costs the target in memory: usage samples against sessions, as a slope with its interval. */

/**
 * open: the sessions that clients hold at that moment; opened: all that were opened so far, whatever became of them.
 */
export type Against = 'open' | 'opened';

export type SessionMemory = {
  readonly samples: number;
  /** Least and most sessions over the samples. */
  readonly fromSessions: number;
  readonly toSessions: number;
} & ({ readonly kind: 'fit'; readonly bytes: LineFit } | { readonly kind: 'none'; readonly why: string });

const leastSamples = 10;
/** A handful of sessions drowns in what a server's memory does by itself. */
const leastSessions = 10;

/**
 * @param replica its id; all replicas together when absent (their sum, so that it does not matter who has which
 * session)
 */
export function sessionMemory(
  plan: Plan,
  aggregate: Aggregate,
  stages: readonly number[],
  against: Against,
  replica?: string,
): SessionMemory {
  const targets = aggregate.usage().filter(({ role }) => role === 'target');
  const chosen = targets.filter(({ id }) => (replica ?? id) === id);
  const spans = plan.stages
    .filter(({ index }) => stages.includes(index))
    .map(({ startMs, durationMs }) => [startMs, startMs + durationMs] as const);
  const sessions = sessionsAt(aggregate.timeline(), against);
  const share = replica === undefined ? 1 : 1 / Math.max(1, targets.length);
  const points = memoryOf(chosen)
    .filter(({ atMs }) => spans.some(([fromMs, toMs]) => atMs > fromMs && atMs <= toMs))
    .flatMap(({ atMs, bytes }): Point[] => {
      const x = sessions(atMs);
      return x === undefined ? [] : [{ x: x * share, y: bytes }];
    });
  const [fromSessions, toSessions] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  if (points.length === 0)
    return {
      samples: 0,
      fromSessions: 0,
      toSessions: 0,
      kind: 'none',
      why: 'the memory of the target is not known (it is known only for targets that this run started)',
    };
  const about = { samples: points.length, fromSessions, toSessions };
  if (points.length < leastSamples)
    return { ...about, kind: 'none', why: `${points.length} samples of memory are too few: ${leastSamples} at least` };
  if (toSessions - fromSessions < leastSessions) {
    return {
      ...about,
      kind: 'none',
      why: `sessions went from ${whole(fromSessions)} to ${whole(toSessions)}: too little to see what one costs`,
    };
  }
  const fit = fitLine(points);
  return fit === undefined
    ? { ...about, kind: 'none', why: 'sessions do not vary' }
    : { ...about, kind: 'fit', bytes: fit };
}

/** Memory of these replicas together, at each moment at which all of them told. */
function memoryOf(series: readonly UsageSeries[]): readonly { readonly atMs: number; readonly bytes: number }[] {
  const sums = new Map<number, { bytes: number; told: number }>();
  for (const { points } of series) {
    for (const { atMs, memoryBytes } of points) {
      const sum = sums.get(atMs) ?? { bytes: 0, told: 0 };
      sums.set(atMs, { bytes: sum.bytes + memoryBytes, told: sum.told + 1 });
    }
  }
  return [...sums]
    .filter(([, { told }]) => told === series.length)
    .map(([atMs, { bytes }]) => ({ atMs, bytes }))
    .sort((a, b) => a.atMs - b.atMs);
}

/** Sessions at a moment, between the ends of seconds by a straight line; undefined where nobody told. */
function sessionsAt(timeline: readonly Second[], against: Against): (atMs: number) => number | undefined {
  let opened = 0;
  const ends = timeline.map(({ sessions, sessionsOpened, workers }) => {
    opened += sessionsOpened;
    return workers === 0 ? undefined : against === 'open' ? sessions : opened;
  });
  return (atMs) => {
    const at = atMs / 1000 - 1;
    const before = Math.floor(at);
    const left = before < 0 ? 0 : ends[before];
    const right = ends[before + 1] ?? left;
    return left === undefined || right === undefined ? undefined : left + (right - left) * (at - before);
  };
}

/** Whether the target gives memory back: what it held before a stage, at its end, and after a rest without load. */

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
const samplesPerLevel = 5;

/** @returns undefined where no rest follows the stage, or too little is known of the memory */
export function memoryReturn(plan: Plan, aggregate: Aggregate, stage: StagePlan): MemoryReturn | undefined {
  const rest = plan.stages.find(({ index }) => index === stage.index + 1);
  if (rest === undefined || rest.segments.some(({ from, to }) => from > 0 || to > 0)) return undefined;
  const memory = memoryOf(aggregate.usage().filter(({ role }) => role === 'target'));
  const level = (fromMs: number, toMs: number): number | undefined => {
    const last = memory
      .filter(({ atMs }) => atMs > fromMs && atMs <= toMs)
      .slice(-samplesPerLevel)
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
