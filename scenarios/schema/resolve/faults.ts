/** Gives each fault, as written, its target and its place in the time of the run. `faults/` has what each kind does. */
import { suggest } from '../../yaml/nearest.js';
import type { Path } from '../../yaml/node.js';
import { drawFrom } from '../faults/fault-kind.js';
import { commonFaultKeys, type FaultAction, type FaultSource, kindOf } from '../faults/fault-kinds.js';
import { commonSubject } from '../faults/fault-targets.js';
import { formatDuration } from '../grammar/units.js';
import { TARGET_SERVICE } from '../keys/fields.js';
import type { FaultPlan, StagePlan, TargetPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';

/** A fault that acts once must be seen in effect within this time. */
const ONCE_MS = 30_000;

/** Of all trials; each is compared with those that are on at the same time. */
const MOST_FAULTS = 10_000;

interface FaultContext {
  /** Stages of all trials. */
  readonly stages: readonly StagePlan[];
  readonly scaleMs: (ms: number) => number;
  readonly scenarioPart: SourcePart;
  readonly target: TargetPlan | undefined;
  readonly seed: number;
}

/** The faults of all trials in order of time: `f1`, `f2` and so on. */
export function resolveFaults(sources: readonly FaultSource[], context: FaultContext): readonly FaultPlan[] {
  const trials = trialsOf(context.stages);
  const names = faultNames(sources);
  refuseSameNames(sources, context.scenarioPart);
  const placed = sources.flatMap((source, index) =>
    (spansOf(source, index, trials[0], context) ?? []).flatMap((span, occurrence) => {
      const action = actionOf(source, index, occurrence, context);
      return action === undefined ? [] : [{ ...action, ...span, name: names[index] ?? source.kind, index }];
    }),
  );
  if (placed.length * trials.length > MOST_FAULTS) {
    const message = `at most ${MOST_FAULTS} faults in a run, not ${placed.length * trials.length}`;
    context.scenarioPart.reportAtKey(
      ['faults'],
      'LIMIT_EXCEEDED',
      message,
      'let them come less often: `every`, `times`',
    );
    return [];
  }
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

type Span = Pick<FaultPlan, 'atMs' | 'untilMs' | 'once'>;
type Placed = FaultAction & Span & { readonly index: number };

function refuseSameNames(sources: readonly FaultSource[], scenarioPart: SourcePart): void {
  const taken = new Set<string>();
  for (const [index, { name }] of sources.entries()) {
    if (name === undefined) continue;
    if (taken.has(name))
      scenarioPart.reportAtValue(['faults', index, 'name'], 'CONFLICT', `another fault has the name ${name}, too`);
    taken.add(name);
  }
}

/** Its own name, or its kind: `kill`, `kill-2`. */
export function faultNames(sources: readonly FaultSource[]): readonly string[] {
  const taken = new Set(sources.flatMap(({ name }) => name ?? []));
  /** The last number of each kind. */
  const numbers = new Map<string, number>();
  return sources.map(({ name, kind }) => {
    if (name !== undefined) return name;
    let number = (numbers.get(kind) ?? 0) + 1;
    let own: string = number === 1 ? kind : `${kind}-${number}`;
    for (; taken.has(own); own = `${kind}-${number}`) number += 1;
    numbers.set(kind, number);
    taken.add(own);
    return own;
  });
}

/** @param occurrence 0, or with `every` a later one: each draws anew */
function actionOf(
  source: FaultSource,
  index: number,
  occurrence: number,
  { scenarioPart, target, seed }: FaultContext,
): FaultAction | undefined {
  const kind = kindOf(source);
  const path: Path = ['faults', index];
  for (const key of occurrence > 0 ? [] : Object.keys(source)) {
    if (key in kind.keys || commonFaultKeys.includes(key)) continue;
    scenarioPart.reportAtKey(
      [...path, key],
      'CONFLICT',
      `\`${key}\` does not go with \`kind: ${source.kind}\``,
      `its keys are: ${[...commonFaultKeys, ...Object.keys(kind.keys)].join(', ')}`,
    );
  }
  return kind.resolve(source, {
    path,
    // What is wrong with the first is wrong with all of them.
    scenario: scenarioPart,
    replicas: target === undefined ? undefined : replicasOf(target),
    replicaNames: target === undefined ? [] : replicaNamesOf(target),
    draw: (count, of) => drawFrom(seed, [index, occurrence], count, of),
  });
}

function replicasOf(target: TargetPlan): number | undefined {
  return target.kind === 'url' || target.kind === 'command' ? undefined : target.replicas;
}

/** What its first replica is called, here and on a swarm. */
function replicaNamesOf({ kind }: TargetPlan): readonly string[] {
  if (kind === 'url' || kind === 'command') return [];
  return [...(kind === 'image' ? [] : [`${kind}-1`]), `${TARGET_SERVICE}.1`];
}

/** Times from the start of the trial, one for each time that the fault comes. */
function spansOf(
  source: FaultSource,
  index: number,
  trial: Trial | undefined,
  context: FaultContext,
): readonly Span[] | undefined {
  const { scaleMs, scenarioPart } = context;
  const startMs = startOf(source, index, trial, context);
  if (startMs === undefined) return undefined;
  const { lasts } = kindOf(source);
  const refuse = (key: string, message: string, hint?: string): undefined => {
    scenarioPart.reportAtKey(['faults', index, key], 'CONFLICT', message, hint);
    return undefined;
  };
  if (lasts === 'moment' && source.for !== undefined)
    return refuse('for', `\`kind: ${source.kind}\` acts once and ends when that was seen, so it has no \`for\``);
  if (source.times !== undefined && source.every === undefined)
    return refuse('times', '`times` needs `every`', 'such as { at: 10s, every: 30s, times: 3, for: 10s, ... }');
  if (source.every === undefined) {
    const span = spanOf(source, index, startMs, trial, context);
    return span && [span];
  }
  if (lasts === 'time' && source.for === undefined)
    return refuse('every', '`every` needs `for`: a fault must end before it comes again');
  if (source.for !== undefined && source.for > source.every)
    return refuse(
      'every',
      `the fault lasts ${formatDuration(source.for)}, so it cannot come again after ${formatDuration(source.every)}`,
    );
  const everyMs = scaleMs(source.every);
  const lastMs = (trial?.lengthMs ?? 0) - (source.for === undefined ? 1 : scaleMs(source.for)) + context.stages.length;
  const most = Math.max(1, Math.min(1000, Math.floor((lastMs - startMs) / everyMs) + 1));
  const spans: Span[] = [];
  for (let occurrence = 0; occurrence < (source.times ?? most); occurrence += 1) {
    const span = spanOf(source, index, startMs + occurrence * everyMs, trial, context);
    if (span === undefined) return undefined;
    spans.push(span);
  }
  return spans;
}

/** When it begins, from the start of the trial. */
function startOf(
  { at, stage: stageName }: FaultSource,
  index: number,
  trial: Trial | undefined,
  { scaleMs, scenarioPart, stages }: FaultContext,
): number | undefined {
  const atMs = scaleMs(at);
  if (stageName === undefined) return atMs;
  const own = stages.filter(({ trial: number }) => number === 1);
  const stage = own.find(({ name }) => name === stageName);
  if (stage === undefined) {
    const known = own.map(({ name }) => name);
    scenarioPart.reportAtValue(
      ['faults', index, 'stage'],
      'NOT_FOUND',
      `there is no stage ${stageName}`,
      suggest(stageName, known, 'stages'),
    );
    return undefined;
  }
  if (atMs < stage.durationMs) return stage.startMs - (trial?.startMs ?? 0) + atMs;
  scenarioPart.reportAtValue(
    ['faults', index, 'at'],
    'CONFLICT',
    `stage ${stageName} is over after ${formatDuration(stage.durationMs)}, ` +
      `so no fault can begin in it at ${formatDuration(atMs)}`,
  );
  return undefined;
}

function spanOf(
  source: FaultSource,
  index: number,
  atMs: number,
  trial: Trial | undefined,
  { scaleMs, scenarioPart, stages }: FaultContext,
): Span | undefined {
  const lengthMs = trial?.lengthMs ?? 0;
  const once = kindOf(source).lasts !== 'time' && source.for === undefined;
  // Scaled as a sum, so that a fault that ends with a stage still does.
  const forMs = source.for === undefined ? undefined : scaleMs(source.at + source.for) - scaleMs(source.at);
  const openEndMs = once ? Math.min(lengthMs, atMs + ONCE_MS) : lengthMs;
  const untilMs = forMs === undefined ? openEndMs : atMs + forMs;
  // Each stage was rounded to a millisecond by itself.
  const roundingMs = stages.length;
  if (atMs >= lengthMs) {
    scenarioPart.reportAtValue(
      ['faults', index, source.every === undefined ? 'at' : 'times'],
      'CONFLICT',
      `the stages are over after ${formatDuration(lengthMs)}, so no fault can begin at ${formatDuration(atMs)}`,
    );
    return undefined;
  }
  if (untilMs <= lengthMs + roundingMs)
    return { atMs, untilMs: Math.min(untilMs, lengthMs), ...(once ? { once: true as const } : {}) };
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
  let active: Placed[] = [];
  /** Each fault is told of once, with the first that it meets. */
  const refused = new Set<number>();
  for (const later of placed.toSorted((a, b) => a.atMs - b.atMs || a.index - b.index)) {
    active = active.filter((earlier) => endOf(earlier) > later.atMs);
    const met = active.map((earlier) => ({
      earlier,
      subject: commonSubject(kindOf(earlier).subjects(earlier), kindOf(later).subjects(later)),
    }));
    const conflict = met.find(({ subject }) => subject !== undefined);
    // What is refused is not compared with others, so there are never more of them than things to act on.
    if (conflict === undefined) {
      active.push(later);
      continue;
    }
    const [first, second = 0] = [conflict.earlier.index, later.index].toSorted((a, b) => a - b);
    if (refused.has(second)) continue;
    refused.add(second);
    scenarioPart.reportAtValue(
      ['faults', second],
      'CONFLICT',
      `two faults act on ${conflict.subject} at the same time (faults.${first} and faults.${second})`,
      'end one of them with `for` before the other begins',
    );
  }
}

/** What acts once is over in a moment; `untilMs` is only how long that may take. */
function endOf({ atMs, untilMs, once }: Span): number {
  return once === true ? atMs + 1 : untilMs;
}

interface Trial {
  readonly startMs: number;
  readonly lengthMs: number;
}

function trialsOf(stages: readonly StagePlan[]): readonly Trial[] {
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
