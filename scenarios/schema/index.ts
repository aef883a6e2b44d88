/** What other rooms use of scenarios: plans, the catalogue, the schemas, and the pure functions of a plan. */

export type { SlotSet } from './allocate.js';
export { allocate, allocationKey, slotIndexes, slotSets, splitSlots } from './allocate.js';
export type { CatalogueEntry } from './catalogue.js';
export { listProfiles, listScenarios } from './catalogue.js';
export { formatBytes, formatDuration, formatRate } from './grammar/format-units.js';
export { allKeyPaths } from './keys/all-key-paths.js';
export { profileJsonSchema, scenarioJsonSchema } from './keys/json-schema.js';
export type { ExpectedOperations } from './load.js';
export { activeClients, expectedOperations, loadAt, peakLoad, peakRate, takesPart, totalDurationMs } from './load.js';
export type { PlanRequest, PlanResult } from './load-plan.js';
export { loadPlan } from './load-plan.js';
export type * from './plan.js';
export type { Problem, ProblemCode } from './problem.js';
export { formatProblems } from './problem.js';
export { redactPlan } from './redact.js';
export type { SecretOptions } from './resolve/secret-files.js';
export type { ScenarioIo } from './schema-io.js';
export { diskIo } from './schema-io.js';
export type * from './template.js';
export type { WorkerPlan } from './worker-plan.js';
export { workerPlan } from './worker-plan.js';
