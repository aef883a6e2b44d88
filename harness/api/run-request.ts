import { join } from 'node:path';
import { z } from 'zod';
import { loadPlan } from '../../scenarios/schema/load-plan.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { diskIo, type ScenarioIo } from '../../scenarios/schema/scenario-io.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { withoutUndefined } from './api-endpoint.js';
import { ApiError } from './errors.js';

/** What `swarmbench run` takes on the command line, as JSON. */
export const runRequest = z.strictObject({
  /** Name of a shipped scenario, or the text of one (YAML or JSON). */
  scenario: z.string().min(1),
  /** With the text of a scenario: the texts of profiles that it may use, by name; they come before the shipped ones. */
  profiles: z.record(z.string().regex(/^[\w-]+$/), z.string()).optional(),
  /** `path=value`, in order. */
  sets: z.array(z.string()).optional(),
  timeScale: z.number().positive().optional(),
  seed: z.number().int().min(0).optional(),
  targets: z.array(z.string()).optional(),
  /** `Name: value`. */
  headers: z.array(z.string()).optional(),
  /** PEM texts for https targets, in place of the files that the scenario names. */
  tls: z
    .strictObject({
      ca: z.string().exactOptional(),
      cert: z.string().exactOptional(),
      key: z.string().exactOptional(),
      insecure: z.boolean(),
    })
    .optional(),
  /** Bearer tokens, in place of those that the scenario names. */
  tokens: z.array(z.string().min(1)).min(1).optional(),
  era: z.enum(['auto', 'legacy', 'modern']).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** What the report says it was started with; without secrets. */
  command: z.string().max(4000).optional(),
  /** How many workers the platform starts. */
  workers: z.number().int().min(1).max(1000).optional(),
  /** Use this many workers that registered by themselves instead. */
  registeredWorkers: z.number().int().min(1).max(10_000).optional(),
});
export type RunRequest = z.infer<typeof runRequest>;

const INLINE_FILE = 'request.yaml';

/** @throws ApiError INVALID_SCENARIO with all problems in `details` */
export function planFrom(request: RunRequest, allowTargets: readonly string[]): Plan {
  const { scenario, sets, timeScale, seed, targets, headers, tls, tokens, era } = request;
  const inline = isInline(scenario);
  // A path would let a caller read the controller's files through the error messages.
  if (!inline && !/^[\w-]+$/.test(scenario)) {
    throw new ApiError(
      422,
      'INVALID_SCENARIO',
      `${JSON.stringify(scenario.slice(0, 80))} is not the name of a scenario`,
      'GET /scenarios lists them; or send the text of one.',
    );
  }
  const options = withoutUndefined({ sets, timeScale, seed, targets, headers, era });
  // No environment: `${VAR}` in a header would send the controller's own secrets to whatever target the caller names.
  const sentSecrets = withoutUndefined({ tls, tokens });
  const planRequest = { ...options, sentSecrets, scenario: inline ? INLINE_FILE : scenario, allowTargets, env: {} };
  const result = loadPlan(planRequest, inline ? withFiles(inlineFiles(request)) : diskIo);
  if (result.ok) return result.plan;
  const { problems } = result;
  throw new ApiError(
    422,
    'INVALID_SCENARIO',
    formatProblems(problems),
    'Mend what is listed and send it again.',
    problems,
  );
}

/** The text of a scenario rather than the name of one: more than one line, or JSON, which is YAML too. */
export function isInline(scenario: string): boolean {
  return scenario.includes('\n') || scenario.trimStart().startsWith('{');
}

/** As if they lay in the current folder. */
function inlineFiles({ scenario, profiles = {} }: RunRequest): ReadonlyMap<string, string> {
  return new Map([
    [INLINE_FILE, scenario],
    ...Object.entries(profiles).map(([name, text]) => [join('profiles', `${name}.yaml`), text] as const),
  ]);
}

function withFiles(files: ReadonlyMap<string, string>): ScenarioIo {
  return { list: (folder) => diskIo.list(folder), readText: (path) => files.get(path) ?? diskIo.readText(path) };
}
