/** Suite files: several scenarios with overrides, an order, pauses, and what follows a failure; and axes of values. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { listOf } from '../yaml/nearest.js';
import { child, type SourceNode } from '../yaml/node.js';
import { parseYaml } from '../yaml/parse-yaml.js';
import { type Position, problemAt, sortProblems } from '../yaml/problem.js';
import { checkNode } from './keys/check-node.js';
import { duration, name, text, wholeNumber } from './keys/fields.js';
import { diskIo, type ScenarioIo, shownPath } from './scenario-io.js';
import { type Problem, positionOfOption, SourcePart } from './source-part.js';
import { transportNames } from './transports.js';

/** The most runs of a suite: a matrix of three long axes is a mistake more often than a plan. */
const MOST_STEPS = 500;

const axisValue = z.union([z.string(), z.number(), z.boolean()]);
const matrix = z.record(text, z.array(axisValue).min(1));

const shared = {
  set: z.record(text, z.unknown()).optional(),
  matrix: matrix.optional(),
  pause: duration.optional(),
  afterFailure: z.enum(['continue', 'stop']).optional(),
};

const entrySchema = z.strictObject({
  ...shared,
  scenario: text,
  title: text.optional(),
  target: z.union([text, z.array(text).min(1)]).optional(),
  timeScale: z.number().positive().optional(),
  seed: wholeNumber(0, 4_294_967_295).optional(),
});

const suiteSchema = z.strictObject({
  ...shared,
  suite: name,
  description: text.optional(),
  order: z.enum(['listed', 'shuffled']).optional(),
  scenarios: z.array(z.union([text, entrySchema])).min(1),
});

/** One run of a suite: a scenario, and what changes it. */
export interface SuiteStep {
  /** A name, or the path of a file. */
  readonly scenario: string;
  readonly title: string | undefined;
  readonly sets: readonly string[];
  readonly targets: readonly string[];
  readonly transport: string | undefined;
  readonly era: string | undefined;
  readonly timeScale: number | undefined;
  readonly seed: number | undefined;
  /** The value on each axis, by the name of the axis. */
  readonly axes: Readonly<Record<string, string>>;
  /** Before the step, but not before the first. */
  readonly pauseMs: number;
  /** Whether the steps behind it are left out when it fails. */
  readonly stopsAfterFailure: boolean;
}

export interface Suite {
  readonly name: string;
  readonly description: string | undefined;
  readonly steps: readonly SuiteStep[];
}

export type SuiteResult =
  | { readonly ok: true; readonly suite: Suite }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @returns undefined when `file` is no suite: there is no such file, or its map has no key `suite` */
export function readSuite(file: string, io: ScenarioIo = diskIo): SuiteResult | undefined {
  const written = /[/\\]|\.ya?ml$/.test(file) ? io.readText(file) : undefined;
  if (written === undefined) return undefined;
  const parsed = parseYaml(written, { file: shownPath(file), line: 1, column: 1 });
  // What is wrong with a scenario is told by its own reader.
  if (parsed.node === undefined || child(parsed.node, 'suite') === undefined) return undefined;
  const problems: Problem[] = [];
  const part = new SourcePart(parsed.node, '', (problem) => problems.push(problem));
  const suite = checkNode(suiteSchema, part);
  if (suite === undefined) return { ok: false, problems: sortProblems(problems) };
  const steps = stepsOf(suite, file, parsed.node, problems);
  if (steps.length > MOST_STEPS) {
    const message = `the suite has ${steps.length} runs, and at most ${MOST_STEPS} can be made`;
    problems.push(problemAt(parsed.node.at, 'LIMIT_EXCEEDED', 'matrix', message, 'shorten an axis of the matrix'));
  }
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) };
  const { suite: suiteName, description, order } = suite;
  return { ok: true, suite: { name: suiteName, description, steps: order === 'shuffled' ? shuffled(steps) : steps } };
}

function stepsOf(
  suite: z.infer<typeof suiteSchema>,
  file: string,
  node: SourceNode,
  problems: Problem[],
): readonly SuiteStep[] {
  const at = (path: string): Position => child(node, path)?.at ?? node.at;
  return suite.scenarios.flatMap((written, index) => {
    const entry = typeof written === 'string' ? { scenario: written } : written;
    const place = child(child(node, 'scenarios'), index)?.at ?? at('scenarios');
    const axes = { ...suite.matrix, ...entry.matrix };
    const wrong = Object.entries(axes).flatMap(([axis, values]) => axisProblem(axis, values) ?? []);
    for (const message of new Set(wrong)) {
      const where = entry.matrix === undefined ? at('matrix') : place;
      problems.push(problemAt(where, 'INVALID_VALUE', 'matrix', message));
    }
    const targets = entry.target === undefined ? [] : [entry.target].flat();
    const base = {
      // Files stand beside the suite, wherever it is called from.
      scenario: /[/\\]|\.ya?ml$/.test(entry.scenario) ? resolve(dirname(file), entry.scenario) : entry.scenario,
      title: entry.title,
      sets: setsOf({ ...suite.set, ...entry.set }),
      targets,
      timeScale: entry.timeScale,
      seed: entry.seed,
      pauseMs: entry.pause ?? suite.pause ?? 0,
      stopsAfterFailure: (entry.afterFailure ?? suite.afterFailure) === 'stop',
    };
    return combinations(axes).map((point) => withPoint(base, point));
  });
}

/**
 * Steps for a matrix on the command line.
 * @param written `AXIS=VALUE,VALUE`, one for each axis
 */
export function matrixSteps(scenarios: readonly string[], written: readonly string[]): SuiteResult {
  const problems: Problem[] = [];
  const axes = Object.fromEntries(
    written.map((one) => {
      const equals = one.indexOf('=');
      const [axis, values] = [one.slice(0, equals), one.slice(equals + 1).split(',')];
      const problem = equals < 1 ? 'write AXIS=VALUE,VALUE, such as replicas=1,2,4' : axisProblem(axis, values);
      if (problem !== undefined)
        problems.push(problemAt(positionOfOption(`--matrix ${one}`), 'INVALID_VALUE', '', problem));
      return [axis, values] as const;
    }),
  );
  if (problems.length > 0) return { ok: false, problems };
  const base = { title: undefined, sets: [], targets: [], timeScale: undefined, seed: undefined, pauseMs: 0 };
  const steps = scenarios.flatMap((scenario) =>
    combinations(axes).map((point) => withPoint({ ...base, scenario, stopsAfterFailure: false }, point)),
  );
  return { ok: true, suite: { name: scenarios.join('-'), description: undefined, steps } };
}

type Point = Readonly<Record<string, string | number | boolean>>;

/** Every combination of one value of each axis; the last axis changes fastest. */
function combinations(axes: Readonly<Record<string, readonly (string | number | boolean)[]>>): readonly Point[] {
  return Object.entries(axes).reduce<readonly Point[]>(
    (points, [axis, values]) => points.flatMap((point) => values.map((value) => ({ ...point, [axis]: value }))),
    [{}],
  );
}

/** Short names of values that are often compared, and where they stand in a scenario. */
const PATHS: Readonly<Record<string, string>> = {
  replicas: 'target.replicas',
  clients: 'workload.*.clients',
  rate: 'workload.*.arrivals.rate',
  pipeline: 'workload.*.pipeline',
};
const NAMES: readonly string[] = ['transport', 'era', 'target', ...Object.keys(PATHS)];
const VALUES: Readonly<Record<string, readonly string[]>> = {
  transport: transportNames,
  era: ['auto', 'legacy', 'modern'],
};

function axisProblem(axis: string, values: readonly unknown[]): string | undefined {
  if (!NAMES.includes(axis) && !axis.includes('.'))
    return `there is no axis \`${axis}\`: ${listOf(NAMES)}, or the path of a value as for --set`;
  const known = VALUES[axis];
  const unknown = values.map(String).find((value) => known?.includes(value) === false);
  if (unknown !== undefined) return `\`${unknown}\` is no ${axis}: ${listOf(known ?? [])}`;
  return new Set(values.map(String)).size === values.length ? undefined : `the axis ${axis} has a value twice`;
}

function withPoint(
  base: Omit<SuiteStep, 'axes' | 'transport' | 'era'>,
  { transport, era, target, ...others }: Point,
): SuiteStep {
  const sets = setsOf(Object.fromEntries(Object.entries(others).map(([axis, value]) => [PATHS[axis] ?? axis, value])));
  const named = { ...(transport === undefined ? {} : { transport }), ...(era === undefined ? {} : { era }), ...others };
  const all = target === undefined ? named : { ...named, target };
  return {
    ...base,
    sets: [...base.sets, ...sets],
    targets: target === undefined ? base.targets : [String(target)],
    transport: transport === undefined ? undefined : String(transport),
    era: era === undefined ? undefined : String(era),
    axes: Object.fromEntries(Object.entries(all).map(([axis, value]) => [axis, String(value)])),
  };
}

function setsOf(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values).map(
    ([path, value]) => `${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}

/** Fisher and Yates. A new order each time: what drifts must not always meet the same scenario. */
function shuffled(steps: readonly SuiteStep[]): readonly SuiteStep[] {
  const order = [...steps];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    const [a, b] = [order[last], order[other]];
    if (a === undefined || b === undefined) continue;
    order[last] = b;
    order[other] = a;
  }
  return order;
}
