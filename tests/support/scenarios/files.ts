/** Scenario files that exist only in a test, before those on disk. */

import { loadPlan, type PlanRequest, type PlanResult } from '../../../scenarios/schema/load-plan.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { diskIo, type ScenarioIo } from '../../../scenarios/schema/scenario-io.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';

export type Files = Readonly<Record<string, string>>;

function filesIo(files: Files): ScenarioIo {
  return {
    readText: (file) => files[file] ?? diskIo.readText(file),
    list: (folder) => [
      ...diskIo.list(folder),
      ...Object.keys(files)
        .filter((file) => file.startsWith(`${folder}/`))
        .map((file) => file.slice(folder.length + 1)),
    ],
  };
}

/** A scenario with the required keys only. Tests replace single lines of it. */
export const minimal = `name: s
workload:
  low-load: {}
stages:
  - { name: steady, duration: 10s }
`;

/**
 * @param text of `s.yaml`
 * @param files more of them, such as profiles (`profiles/x.yaml`)
 */
export function load(text: string, request: Partial<PlanRequest> = {}, files: Files = {}): PlanResult {
  return loadPlan({ scenario: 's.yaml', env: {}, ...request }, filesIo({ 's.yaml': text, ...files }));
}

/** @throws an error with the problems as its text */
export function planOf(text: string, request: Partial<PlanRequest> = {}, files: Files = {}): Plan {
  const result = load(text, request, files);
  if (result.ok) return result.plan;
  throw new Error(formatProblems(result.problems));
}

/** `file:line:column: message` and hints; empty when nothing is wrong. */
export function problemsOf(text: string, request: Partial<PlanRequest> = {}, files: Files = {}): string {
  const result = load(text, request, files);
  return result.ok ? '' : formatProblems(result.problems);
}
