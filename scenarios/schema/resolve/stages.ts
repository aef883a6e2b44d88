import { suggest } from '../../yaml/nearest.js';
import type { StageSource } from '../keys/scenario-schema.js';
import type { LoadSegment, StagePlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';

/** One stage without its place in time. */
interface Shape {
  readonly source: StageSource;
  readonly durationMs: number;
  /** Times from the start of the stage. */
  readonly segments: readonly LoadSegment[];
}

/**
 * All trials, one after the other. Undefined when a stage is wrong, all of which is reported. @param scenario for
 * problems under its `stages`
 */
export function resolveStages(
  sources: readonly StageSource[],
  trials: number,
  scaleMs: (ms: number) => number,
  scenario: SourcePart,
): readonly StagePlan[] | undefined {
  const shapes = sources.map((source, index) => shapeOf(source, index, scaleMs, scenario));
  const namesFit = checkNames(sources, scenario);
  if (!sources.some((source) => source.measured)) {
    scenario.reportAtKey(
      ['stages'],
      'CONFLICT',
      'no stage is measured, so there would be nothing to report',
      'leave `measured: false` out of at least one stage',
    );
    return undefined;
  }
  if (!namesFit || shapes.includes(undefined)) return undefined;
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

/** @param names of the workload */
export function checkStageProfiles(
  sources: readonly StageSource[],
  names: readonly string[],
  scenario: SourcePart,
): void {
  sources.forEach(({ profiles = [] }, stage) =>
    profiles.forEach((profile, index) => {
      if (!names.includes(profile))
        scenario.reportAtValue(
          ['stages', stage, 'profiles', index],
          'INVALID_VALUE',
          `no profile of the workload is named \`${profile}\``,
          suggest(profile, names, 'profiles'),
        );
    }),
  );
}

function checkNames(sources: readonly StageSource[], scenario: SourcePart): boolean {
  const names = sources.map((source) => source.name);
  const repeated = names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [index]));
  for (const index of repeated) {
    scenario.reportAtValue(
      ['stages', index, 'name'],
      'CONFLICT',
      `two stages are called \`${names[index] ?? ''}\``,
      'thresholds and overrides find a stage by its name',
    );
  }
  return repeated.length === 0;
}

function shapeOf(
  source: StageSource,
  index: number,
  scaleMs: (ms: number) => number,
  scenario: SourcePart,
): Shape | undefined {
  const { load } = source;
  const at = ['stages', index];
  if (typeof load === 'object' && (load.steps !== undefined || load.hold !== undefined))
    return steps(source, load, at, scaleMs, scenario);
  const [from, to] = typeof load === 'number' ? [load, load] : [load.from, load.to];
  if (from === undefined || to === undefined) {
    scenario.reportAtValue(
      [...at, 'load'],
      'MISSING_KEY',
      'a ramp has `from` and `to`',
      '{ from: 0%, to: 100% }, or { steps: [10%, 50%], hold: 30s }',
    );
    return undefined;
  }
  if (source.duration === undefined) {
    scenario.reportAtValue(at, 'MISSING_KEY', 'missing key `duration`');
    return undefined;
  }
  if (!loadFits(source, Math.max(from, to), at, scenario)) return undefined;
  const durationMs = scaleMs(source.duration);
  return { source, durationMs, segments: [{ startMs: 0, endMs: durationMs, from, to }] };
}

type Steps = Exclude<StageSource['load'], number>;

function steps(
  source: StageSource,
  load: Steps,
  at: readonly (string | number)[],
  scaleMs: (ms: number) => number,
  scenario: SourcePart,
): Shape | undefined {
  const path = [...at, 'load'];
  if (load.from !== undefined || load.to !== undefined) {
    scenario.reportAtValue(path, 'CONFLICT', 'a load is a ramp (`from`, `to`) or steps (`steps`, `hold`), not both');
    return undefined;
  }
  if (load.steps === undefined || load.hold === undefined) {
    scenario.reportAtValue(
      path,
      'MISSING_KEY',
      '`steps` and `hold` go together',
      '{ steps: [10%, 25%, 50%, 100%], hold: 30s }',
    );
    return undefined;
  }
  if (source.duration !== undefined) {
    scenario.reportAtKey(
      [...at, 'duration'],
      'CONFLICT',
      '`steps` say how long the stage lasts: number of steps x hold',
      'take `duration` out',
    );
    return undefined;
  }
  if (!loadFits(source, Math.max(...load.steps), at, scenario)) return undefined;
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
function loadFits(source: StageSource, peak: number, at: readonly (string | number)[], scenario: SourcePart): boolean {
  if (source.scale === 'rate' || peak <= 1) return true;
  scenario.reportAtValue(
    [...at, 'load'],
    'CONFLICT',
    'more than 100% of the clients cannot be active',
    'raise `clients` in the workload, or use scale: rate',
  );
  return false;
}
