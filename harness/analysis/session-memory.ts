/** What a session costs the target in memory: usage samples against sessions, as a slope with its interval. */
import type { Plan } from '../../scenarios/schema/plan.js';
import type { Aggregate, Second, UsageSeries } from './contract.js';
import type { LineFit, Point } from './fit-line.js';
import { fitLine } from './fit-line.js';
import { whole } from './words.js';

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
export function memoryOf(series: readonly UsageSeries[]): readonly { readonly atMs: number; readonly bytes: number }[] {
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
