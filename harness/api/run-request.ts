import { join } from 'node:path';
import { z } from 'zod';
import { loadPlan } from '../../scenarios/schema/load-plan.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { diskIo, type ScenarioIo } from '../../scenarios/schema/scenario-io.js';
import { transportNames } from '../../scenarios/schema/transports.js';
import { formatProblems, MOST_PROBLEMS } from '../../scenarios/yaml/problem.js';
import { withoutUndefined } from './api-endpoint.js';
import { ApiError } from './errors.js';

/** The options of `swarmbench run`, as JSON. */
export const runRequest = z.strictObject({
  /** The name of a shipped scenario, or the text of a scenario (YAML or JSON). */
  scenario: z.string().min(1),
  /** With the text of a scenario: texts of profiles by name, which take precedence over the shipped ones. */
  profiles: z.record(z.string().regex(/^[\w-]+$/), z.string()).optional(),
  /** `path=value`, in order. */
  sets: z.array(z.string()).optional(),
  timeScale: z.number().positive().optional(),
  seed: z.number().int().min(0).optional(),
  targets: z.array(z.string()).optional(),
  /** Servers of the scenario's arms, or the arms themselves. */
  arms: z.array(z.strictObject({ name: z.string(), url: z.string() })).optional(),
  /** `Name: value`. */
  headers: z.array(z.string()).optional(),
  /** PEM texts for https targets, instead of the files that the scenario names. */
  tls: z
    .strictObject({
      ca: z.string().exactOptional(),
      cert: z.string().exactOptional(),
      key: z.string().exactOptional(),
      insecure: z.boolean(),
    })
    .optional(),
  /** Bearer tokens, instead of those that the scenario names. */
  tokens: z.array(z.string().min(1)).min(1).optional(),
  era: z.enum(['auto', 'legacy', 'modern']).optional(),
  /** Of all profiles, whatever they say. */
  transport: z.enum(transportNames).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** The command line that the report shows; without secrets. */
  command: z.string().max(4000).optional(),
  /** How many workers the platform starts. */
  workers: z.number().int().min(1).max(1000).optional(),
  /** Instead of starting workers, use this many that registered by themselves. */
  registeredWorkers: z.number().int().min(1).max(10_000).optional(),
});
export type RunRequest = z.infer<typeof runRequest>;

const INLINE_FILE = 'request.yaml';

/** @throws ApiError INVALID_SCENARIO with the first hundred problems in `details` */
export function planFrom(request: RunRequest, allowTargets: readonly string[]): Plan {
  const { scenario, sets, timeScale, seed, targets, arms, headers, tls, tokens, era, transport } = request;
  const inline = isInline(scenario);
  // With a path, a caller could read the controller's files through the error messages.
  if (!inline && !/^[\w-]+$/.test(scenario)) {
    throw new ApiError(
      422,
      'INVALID_SCENARIO',
      `${JSON.stringify(scenario.slice(0, 80))} is not the name of a scenario`,
      'GET /scenarios lists the names. You can also send the text of a scenario.',
    );
  }
  const options = withoutUndefined({ sets, timeScale, seed, targets, arms, headers, era, transport });
  // No environment: `${VAR}` in a header would send the controller's secrets to any target that the caller names.
  const sentSecrets = withoutUndefined({ tls, tokens });
  const planRequest = { ...options, sentSecrets, scenario: inline ? INLINE_FILE : scenario, allowTargets, env: {} };
  const result = loadPlan(planRequest, inline ? withFiles(inlineFiles(request)) : diskIo);
  if (result.ok) return result.plan;
  const { problems } = result;
  throw new ApiError(
    422,
    'INVALID_SCENARIO',
    formatProblems(problems),
    'Fix the listed problems and send the request again.',
    problems.slice(0, MOST_PROBLEMS),
  );
}

/** Whether this is the text of a scenario, not a name: it has several lines, or is JSON (which is YAML, too). */
export function isInline(scenario: string): boolean {
  return scenario.includes('\n') || scenario.trimStart().startsWith('{');
}

/** The sent texts, under the paths they would have in the current folder. */
function inlineFiles({ scenario, profiles = {} }: RunRequest): ReadonlyMap<string, string> {
  return new Map([
    [INLINE_FILE, scenario],
    ...Object.entries(profiles).map(([name, text]) => [join('profiles', `${name}.yaml`), text] as const),
  ]);
}

function withFiles(files: ReadonlyMap<string, string>): ScenarioIo {
  return { list: (folder) => diskIo.list(folder), readText: (path) => files.get(path) ?? diskIo.readText(path) };
}
