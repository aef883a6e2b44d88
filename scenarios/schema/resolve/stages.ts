import { listOf, suggest } from '../../yaml/nearest.js';
import { child, type MapNode, type Path } from '../../yaml/node.js';
import type { StageSource } from '../keys/scenario-schema.js';
import type { LoadSegment, ProfilePlan, StagePlan } from '../plan.js';
import { nameOf, type SourcePart } from '../source-part.js';

/** One stage without its place in time. */
interface Shape {
  readonly source: StageSource;
  readonly durationMs: number;
  /** Times from the start of the stage. */
  readonly segments: readonly LoadSegment[];
}

/**
 * The stages of all trials, one after the other.
 * @returns undefined when a stage is wrong, which is reported
 */
export function resolveStages(
  sources: readonly StageSource[],
  trials: number,
  scaleMs: (ms: number) => number,
  scenarioPart: SourcePart,
): readonly StagePlan[] | undefined {
  const shapes = sources.map((source, index) => shapeOf(source, index, scaleMs, scenarioPart));
  const namesAreUnique = checkNames(sources, scenarioPart);
  if (!sources.some((source) => source.measured)) {
    scenarioPart.reportAtKey(
      ['stages'],
      'CONFLICT',
      'no stage is measured, so there would be nothing to report',
      'leave `measured: false` out of at least one stage',
    );
    return undefined;
  }
  if (!namesAreUnique || shapes.includes(undefined)) return undefined;
  return unroll(
    shapes.filter((shape) => shape !== undefined),
    trials,
  );
}

function unroll(shapes: readonly Shape[], trials: number): readonly StagePlan[] {
  const stages: StagePlan[] = [];
  let startMs = 0;
  for (let trial = 1; trial <= trials; trial += 1) {
    for (const { source, durationMs, segments } of shapes) {
      const { name, measured, scale, profiles } = source;
      const placed = segments.map((segment) => ({
        ...segment,
        startMs: startMs + segment.startMs,
        endMs: startMs + segment.endMs,
      }));
      stages.push({
        index: stages.length,
        name,
        trial,
        startMs,
        durationMs,
        measured,
        scale,
        ...(profiles === undefined ? {} : { profiles }),
        segments: placed,
      });
      startMs += durationMs;
    }
  }
  return stages;
}

/** Names of stages as written, so that other checks can use them even when other keys of a stage are wrong. */
export function stageNames(scenario: MapNode): readonly string[] {
  const stages = child(scenario, 'stages');
  return stages?.kind === 'list' ? stages.items.flatMap((stage) => nameOf(stage) ?? []) : [];
}

/** @param names of the profiles in the workload */
export function checkStageProfiles(
  sources: readonly StageSource[],
  names: readonly string[],
  scenarioPart: SourcePart,
): void {
  const known = new Set(names);
  for (const [stage, { profiles = [] }] of sources.entries()) {
    for (const [index, profile] of profiles.entries()) {
      if (known.has(profile)) continue;
      scenarioPart.reportAtValue(
        ['stages', stage, 'profiles', index],
        'INVALID_VALUE',
        `no profile of the workload is named \`${profile}\``,
        suggest(profile, names, 'profiles'),
      );
    }
  }
}

/** In a closed loop the target decides the rate, so there is nothing to scale. */
export function checkScale(
  stages: readonly StagePlan[],
  profiles: readonly ProfilePlan[],
  scenarioPart: SourcePart,
): void {
  const closed = profiles.filter((profile) => profile.arrivals.model === 'closed').map((profile) => profile.name);
  if (closed.length === 0) return;
  for (const stage of stages.filter(({ trial, scale }) => trial === 1 && scale === 'rate')) {
    scenarioPart.reportAtValue(
      ['stages', stage.index, 'scale'],
      'CONFLICT',
      `scale: rate needs arrivals, and ${listOf(closed)} has think time instead`,
      'use scale: clients',
    );
  }
}

function checkNames(sources: readonly StageSource[], scenarioPart: SourcePart): boolean {
  const names = sources.map((source) => source.name);
  const seen = new Set<string>();
  const repeated = names.flatMap((name, index) => {
    if (seen.has(name)) return [index];
    seen.add(name);
    return [];
  });
  for (const index of repeated) {
    scenarioPart.reportAtValue(
      ['stages', index, 'name'],
      'CONFLICT',
      `two stages are named \`${names[index] ?? ''}\``,
      'thresholds and overrides find a stage by its name',
    );
  }
  return repeated.length === 0;
}

function shapeOf(
  source: StageSource,
  index: number,
  scaleMs: (ms: number) => number,
  scenarioPart: SourcePart,
): Shape | undefined {
  const { load } = source;
  const path = ['stages', index];
  if (typeof load === 'object' && (load.steps !== undefined || load.hold !== undefined))
    return stepsOf(source, load, path, scaleMs, scenarioPart);
  const [from, to] = typeof load === 'number' ? [load, load] : [load.from, load.to];
  if (from === undefined || to === undefined) {
    scenarioPart.reportAtValue(
      [...path, 'load'],
      'MISSING_KEY',
      'a ramp has `from` and `to`',
      '{ from: 0%, to: 100% }, or { steps: [10%, 50%], hold: 30s }',
    );
    return undefined;
  }
  if (source.duration === undefined) {
    scenarioPart.reportAtValue(path, 'MISSING_KEY', 'missing key `duration`');
    return undefined;
  }
  if (!loadFits(source, Math.max(from, to), path, scenarioPart)) return undefined;
  const durationMs = scaleMs(source.duration);
  return { source, durationMs, segments: [{ startMs: 0, endMs: durationMs, from, to }] };
}

type Steps = Exclude<StageSource['load'], number>;

function stepsOf(
  source: StageSource,
  load: Steps,
  path: Path,
  scaleMs: (ms: number) => number,
  scenarioPart: SourcePart,
): Shape | undefined {
  const loadPath = [...path, 'load'];
  if (load.from !== undefined || load.to !== undefined) {
    scenarioPart.reportAtValue(
      loadPath,
      'CONFLICT',
      'a load is a ramp (`from`, `to`) or steps (`steps`, `hold`), not both',
    );
    return undefined;
  }
  if (load.steps === undefined || load.hold === undefined) {
    scenarioPart.reportAtValue(
      loadPath,
      'MISSING_KEY',
      '`steps` and `hold` go together',
      '{ steps: [10%, 25%, 50%, 100%], hold: 30s }',
    );
    return undefined;
  }
  if (source.duration !== undefined) {
    scenarioPart.reportAtKey(
      [...path, 'duration'],
      'CONFLICT',
      '`steps` decide how long the stage lasts: number of steps x hold',
      'remove `duration`',
    );
    return undefined;
  }
  if (!loadFits(source, Math.max(...load.steps), path, scenarioPart)) return undefined;
  const holdMs = scaleMs(load.hold);
  const segments = load.steps.map((step, i) => ({
    startMs: i * holdMs,
    endMs: (i + 1) * holdMs,
    from: step,
    to: step,
  }));
  return { source, durationMs: holdMs * segments.length, segments };
}

/** `scale: clients` at more than 100 % would need clients that do not exist. */
function loadFits(source: StageSource, peak: number, path: Path, scenarioPart: SourcePart): boolean {
  if (source.scale === 'rate' || peak <= 1) return true;
  scenarioPart.reportAtValue(
    [...path, 'load'],
    'CONFLICT',
    'more than 100% of the clients cannot be active',
    'raise `clients` in the workload, or use scale: rate',
  );
  return false;
}
