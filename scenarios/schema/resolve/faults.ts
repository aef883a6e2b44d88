/** Faults as written into faults with their place in the run's time, or everything that is wrong with them. */

import type { FaultSource } from '../faults/fault-kinds.js';
import { formatDuration } from '../grammar/units.js';
import type { FaultPlan, StagePlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';

/** What a platform puts in front of an MCP server is called this in every stack of ours. */
const TARGET_SERVICE = 'mcp-server';

type Kind = FaultPlan['kind'];
type Action<K extends Kind> = Omit<Extract<FaultPlan, { readonly kind: K }>, 'id' | 'atMs' | 'untilMs'>;
type Resolver<K extends Kind> = (
  source: FaultSource,
  path: readonly (string | number)[],
  scenario: SourcePart,
) => Action<K> | undefined;

/** What each kind takes of the keys of a fault. A kind that is not here is refused by name. */
const resolvers = {
  scale: resolveScale,
} as const satisfies { readonly [K in Kind]: Resolver<K> };

interface FaultContext {
  /** Of all trials. */
  readonly stages: readonly StagePlan[];
  readonly scaleMs: (ms: number) => number;
  /** For problems under its `faults`. */
  readonly scenario: SourcePart;
}

/** In order of time, of all trials: `f1`, `f2` and so on. */
export function resolveFaults(sources: readonly FaultSource[], context: FaultContext): readonly FaultPlan[] {
  const trials = trialsOf(context.stages);
  const placed = sources.flatMap((source, index) => {
    const action = actionOf(source, ['faults', index], context.scenario);
    const span = spanOf(source, index, trials[0]?.lengthMs ?? 0, context);
    return action === undefined || span === undefined ? [] : [{ ...action, ...span, index }];
  });
  refuseOverlaps(placed, context.scenario);
  return trials
    .flatMap(({ startMs }) =>
      placed.map(({ index: _, atMs, untilMs, ...action }) => ({
        ...action,
        atMs: startMs + atMs,
        untilMs: startMs + untilMs,
      })),
    )
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((fault, index) => ({ id: `f${index + 1}`, ...fault }));
}

type Span = Pick<FaultPlan, 'atMs' | 'untilMs'>;
type Placed = Action<Kind> & Span & { readonly index: number };

function actionOf(
  source: FaultSource,
  path: readonly (string | number)[],
  scenario: SourcePart,
): Action<Kind> | undefined {
  // Another kind has been refused by its name already.
  return source.kind in resolvers ? resolvers[source.kind as Kind](source, path, scenario) : undefined;
}

function resolveScale(
  { service = TARGET_SERVICE, replicas }: FaultSource,
  path: readonly (string | number)[],
  scenario: SourcePart,
): Action<'scale'> | undefined {
  if (replicas !== undefined) return { kind: 'scale', service, replicas };
  scenario.reportAtValue(
    path,
    'MISSING_KEY',
    'missing key `replicas`',
    '`kind: scale` says how many there are to be: { at: 60s, kind: scale, replicas: 16, for: 60s }',
  );
  return undefined;
}

/** From the start of the trial. */
function spanOf(
  source: FaultSource,
  index: number,
  lengthMs: number,
  { scaleMs, scenario, stages }: FaultContext,
): Span | undefined {
  const atMs = scaleMs(source.at);
  const untilMs = source.for === undefined ? lengthMs : scaleMs(source.at + source.for);
  // Each stage was rounded to a millisecond by itself.
  const roundingMs = stages.length;
  if (atMs >= lengthMs) {
    scenario.reportAtValue(
      ['faults', index, 'at'],
      'CONFLICT',
      `the stages are over after ${formatDuration(lengthMs)}, so nothing can begin at ${formatDuration(atMs)}`,
    );
    return undefined;
  }
  if (untilMs <= lengthMs + roundingMs) return { atMs, untilMs: Math.min(untilMs, lengthMs) };
  scenario.reportAtValue(
    ['faults', index, 'for'],
    'CONFLICT',
    `it would last until ${formatDuration(untilMs)}, and the stages are over after ${formatDuration(lengthMs)}`,
    'without `for` it lasts to the end',
  );
  return undefined;
}

/** Each undo goes back to what was before it; two at once on the same thing could not both. */
function refuseOverlaps(placed: readonly Placed[], scenario: SourcePart): void {
  for (const [at, later] of placed.entries()) {
    const other = placed
      .slice(0, at)
      .find(
        (earlier) => earlier.service === later.service && earlier.atMs < later.untilMs && later.atMs < earlier.untilMs,
      );
    if (other === undefined) continue;
    scenario.reportAtValue(
      ['faults', later.index],
      'CONFLICT',
      `two faults act on ${later.service} at the same time (faults.${other.index} and faults.${later.index})`,
      'end one of them with `for` before the other begins',
    );
  }
}

function trialsOf(stages: readonly StagePlan[]): readonly { readonly startMs: number; readonly lengthMs: number }[] {
  const trials = new Set(stages.map(({ trial }) => trial));
  return [...trials].map((trial) => {
    const own = stages.filter((stage) => stage.trial === trial);
    const startMs = own[0]?.startMs ?? 0;
    return {
      startMs,
      lengthMs: own.reduce((end, stage) => Math.max(end, stage.startMs + stage.durationMs), startMs) - startMs,
    };
  });
}
