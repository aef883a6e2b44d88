/** Gives each fault, as written, its place in the time of the run. `fault-kinds.ts` has what each kind does. */
import type { Path } from '../../yaml/node.js';
import { type FaultAction, type FaultSource, kindOf } from '../faults/fault-kinds.js';
import { formatDuration } from '../grammar/units.js';
import type { FaultPlan, StagePlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';

/** The keys of every fault, whatever its kind. */
const commonKeys: ReadonlySet<string> = new Set(['at', 'kind', 'for']);

interface FaultContext {
  /** Stages of all trials. */
  readonly stages: readonly StagePlan[];
  readonly scaleMs: (ms: number) => number;
  readonly scenarioPart: SourcePart;
}

/** The faults of all trials in order of time: `f1`, `f2` and so on. */
export function resolveFaults(sources: readonly FaultSource[], context: FaultContext): readonly FaultPlan[] {
  const trials = trialsOf(context.stages);
  const placed = sources.flatMap((source, index) => {
    const action = actionOf(source, ['faults', index], context.scenarioPart);
    const span = spanOf(source, index, trials[0]?.lengthMs ?? 0, context);
    return action === undefined || span === undefined ? [] : [{ ...action, ...span, index }];
  });
  refuseOverlaps(placed, context.scenarioPart);
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
type Placed = FaultAction & Span & { readonly index: number };

function actionOf(source: FaultSource, path: Path, scenarioPart: SourcePart): FaultAction | undefined {
  const kind = kindOf(source);
  for (const key of Object.keys(source)) {
    if (key in kind.keys || commonKeys.has(key)) continue;
    scenarioPart.reportAtKey(
      [...path, key],
      'CONFLICT',
      `\`${key}\` does not go with \`kind: ${source.kind}\``,
      `its keys are: ${[...commonKeys, ...Object.keys(kind.keys)].join(', ')}`,
    );
  }
  return kind.resolve(source, path, scenarioPart);
}

/** Times from the start of the trial. */
function spanOf(
  source: FaultSource,
  index: number,
  lengthMs: number,
  { scaleMs, scenarioPart, stages }: FaultContext,
): Span | undefined {
  const atMs = scaleMs(source.at);
  const untilMs = source.for === undefined ? lengthMs : scaleMs(source.at + source.for);
  // Each stage was rounded to a millisecond by itself.
  const roundingMs = stages.length;
  if (atMs >= lengthMs) {
    scenarioPart.reportAtValue(
      ['faults', index, 'at'],
      'CONFLICT',
      `the stages are over after ${formatDuration(lengthMs)}, so no fault can begin at ${formatDuration(atMs)}`,
    );
    return undefined;
  }
  if (untilMs <= lengthMs + roundingMs) return { atMs, untilMs: Math.min(untilMs, lengthMs) };
  scenarioPart.reportAtValue(
    ['faults', index, 'for'],
    'CONFLICT',
    `the fault would last until ${formatDuration(untilMs)}, and the stages are over after ${formatDuration(lengthMs)}`,
    'without `for` a fault lasts to the end',
  );
  return undefined;
}

/** Each undo restores what it found. Of two faults on the same subject at once, only one could do that. */
function refuseOverlaps(placed: readonly Placed[], scenarioPart: SourcePart): void {
  for (const [position, later] of placed.entries()) {
    const subject = subjectOf(later);
    const other = placed
      .slice(0, position)
      .find(
        (earlier) => subjectOf(earlier) === subject && earlier.atMs < later.untilMs && later.atMs < earlier.untilMs,
      );
    if (other === undefined) continue;
    scenarioPart.reportAtValue(
      ['faults', later.index],
      'CONFLICT',
      `two faults act on ${subject} at the same time (faults.${other.index} and faults.${later.index})`,
      'end one of them with `for` before the other begins',
    );
  }
}

function subjectOf(fault: FaultAction): string {
  return kindOf(fault).subject(fault);
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
