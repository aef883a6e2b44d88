/** What other rooms use of scenarios: plans, the catalogue, the schemas, and the pure functions of a plan. */

export type { Problem, ProblemCode } from '../yaml/problem.js';
export { formatProblems } from '../yaml/problem.js';
export type { SlotSet } from './allocate.js';
export { allocate, allocationKey, slotIndexes, slotSets, splitSlots } from './allocate.js';
export type * from './grammar/template.js';
export { formatBytes, formatDuration, formatRate } from './grammar/units.js';
export { allKeyPaths, profileJsonSchema, scenarioJsonSchema } from './keys/describe-keys.js';
export type { CatalogueEntry } from './list-scenarios.js';
export { listProfiles, listScenarios } from './list-scenarios.js';
export type { PlanRequest, PlanResult } from './load-plan.js';
export { loadPlan } from './load-plan.js';
export type { ExpectedOperations } from './offered-load.js';
export {
  activeClients,
  expectedOperations,
  loadAt,
  peakLoad,
  peakRate,
  takesPart,
  totalDurationMs,
} from './offered-load.js';
export type * from './plan.js';
export type { WorkerPlan } from './plan.js';
export { workerPlan } from './plan.js';
export { redactPlan } from './redact.js';
export type { SecretOptions } from './resolve/secret-files.js';
export type { ScenarioIo } from './scenario-io.js';
export { diskIo } from './scenario-io.js';
