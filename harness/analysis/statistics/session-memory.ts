/** What a session costs the target in memory: usage samples against sessions, as a slope with its interval. */
import type { Plan, StagePlan } from '../../../scenarios/schema/plan.js';
import { isWithin, spansOf } from '../facts/stages.js';
import type { UsageSeries } from '../facts/usage-series.js';
import { whole } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';
import type { Second } from '../merge/timeline.js';
import { fitLine, type LineFit, type Point } from './fit-line.js';

/** Which sessions memory is set against: those that clients hold at that moment, or all that were opened so far. */
export type SessionBasis = 'open' | 'opened';

export type SessionMemory = {
  readonly samples: number;
  /** The fewest and the most sessions over the samples. */
  readonly fromSessions: number;
  readonly toSessions: number;
} & ({ readonly kind: 'fit'; readonly bytes: LineFit } | { readonly kind: 'none'; readonly why: string });

/** With fewer, nobody can tell how much neighbouring samples resemble each other. */
const leastSamples = 20;
/** With fewer sessions, their memory is lost in the variation of a server's own memory. */
const leastSessions = 10;

/**
 * @param stages indices
 * @param replica its id; when absent, the sum over all replicas, so that it does not matter which has which session
 */
export function sessionMemory(
  plan: Plan,
  aggregate: Pick<Aggregate, 'usage' | 'timeline'>,
  stages: readonly number[],
  basis: SessionBasis,
  replica?: string,
): SessionMemory {
  const targets = aggregate.usage().filter(({ role }) => role === 'target');
  const chosen = targets.filter(({ id }) => (replica ?? id) === id);
  const spans = spansOf(plan, stages);
  const sessions = sessionsAt(aggregate.timeline(), basis);
  const share = replica === undefined ? 1 : 1 / Math.max(1, targets.length);
  const points = memoryOf(chosen)
    .filter(({ atMs }) => isWithin(spans, atMs))
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
    return {
      ...about,
      kind: 'none',
      why: `${points.length} samples of memory are too few: at least ${leastSamples} are needed`,
    };
  if (toSessions - fromSessions < leastSessions) {
    return {
      ...about,
      kind: 'none',
      why: `sessions went from ${whole(fromSessions)} to ${whole(toSessions)}: too few to see what one costs`,
    };
  }
  const fit = fitLine(points);
  return fit === undefined
    ? { ...about, kind: 'none', why: 'the number of sessions did not change' }
    : { ...about, kind: 'fit', bytes: fit };
}

/** Memory of these replicas together, at each moment at which all of them were sampled. */
function memoryOf(series: readonly UsageSeries[]): readonly { readonly atMs: number; readonly bytes: number }[] {
  const sums = new Map<number, { bytes: number; replicas: number }>();
  for (const { points } of series) {
    for (const { atMs, memoryBytes } of points) {
      const sum = sums.get(atMs) ?? { bytes: 0, replicas: 0 };
      sums.set(atMs, { bytes: sum.bytes + memoryBytes, replicas: sum.replicas + 1 });
    }
  }
  return [...sums]
    .filter(([, { replicas }]) => replicas === series.length)
    .map(([atMs, { bytes }]) => ({ atMs, bytes }))
    .sort((a, b) => a.atMs - b.atMs);
}

/** Sessions at a moment, on a straight line between the ends of seconds; undefined where none were reported. */
function sessionsAt(timeline: readonly Second[], basis: SessionBasis): (atMs: number) => number | undefined {
  let opened = 0;
  const ends = timeline.flatMap(({ sessions, sessionsOpened, workers, seconds }) => {
    opened += sessionsOpened;
    const value = basis === 'open' ? sessions : opened;
    return Array.from({ length: seconds }, () => (workers === 0 ? undefined : value));
  });
  return (atMs) => {
    const at = atMs / 1000 - 1;
    const before = Math.floor(at);
    const left = before < 0 ? 0 : ends[before];
    const right = ends[before + 1] ?? left;
    return left === undefined || right === undefined ? undefined : left + (right - left) * (at - before);
  };
}

/** Whether the target gives memory back: its memory before a stage, at its end, and after a rest without load. */
export interface MemoryReturn {
  readonly restSeconds: number;
  /** All replicas together: the median of the last samples before the stage, in the stage, and in the rest after it. */
  readonly beforeBytes: number;
  readonly endBytes: number;
  readonly afterBytes: number;
  /** Share of the memory added in the stage; 0 when memory went on growing, undefined when none was added. */
  readonly share: number | undefined;
}

/** One sample may be a peak between two garbage collections; the median of so many is not. */
const samplesPerLevel = 5;

/** @returns undefined when no rest follows the stage, or memory was not sampled in all three */
export function memoryReturn(
  plan: Plan,
  aggregate: Pick<Aggregate, 'usage'>,
  stage: StagePlan,
): MemoryReturn | undefined {
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
  // Before the first stage there is no sample: the first one stands for it.
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
