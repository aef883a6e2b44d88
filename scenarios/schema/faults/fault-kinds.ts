/** All kinds of faults, as scenarios and plans know them. Platforms hold how they are done. */
import { z } from 'zod';
import { duration, name, positiveDuration, wholeNumber } from '../keys/fields.js';
import { badImage, drain, leader, nodeCut, nodeDown, rollingUpdate } from './cluster-kinds.js';
import type { FaultKind } from './fault-kind.js';
import { delayed, dns, loss, partition, rate, reset } from './network-kinds.js';
import { cpu, kill, memory, pause, restart, scale, stop } from './replica-kinds.js';

/** A new kind is an object like `scale` in `replica-kinds.ts`, listed here. */
export const faultKinds = {
  kill,
  stop,
  pause,
  restart,
  scale,
  partition,
  delay: delayed,
  loss,
  rate,
  reset,
  dns,
  cpu,
  memory,
  'rolling-update': rollingUpdate,
  'bad-image': badImage,
  drain,
  'node-cut': nodeCut,
  'node-down': nodeDown,
  leader,
} as const satisfies Readonly<Record<string, FaultKind<{ readonly kind: string }>>>;

type Kinds = typeof faultKinds;
export type FaultKindName = keyof Kinds;

/** What a fault does, without its time. */
export type FaultAction = { [Name in FaultKindName]: NonNullable<ReturnType<Kinds[Name]['resolve']>> }[FaultKindName];

type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

export const faultKindNames = Object.keys(faultKinds) as [FaultKindName, ...FaultKindName[]];
const keysOfAllKinds = Object.assign({}, ...Object.values(faultKinds).map(({ keys }) => keys)) as Intersection<
  Kinds[FaultKindName]['keys']
>;

/** A fault, as written. The keys of all kinds stand side by side; `resolveFaults` refuses those of another kind. */
export const faultSchema = z.strictObject({
  at: duration.describe(
    'When it begins, from the start of the first stage, or of the one that `stage` names; with `repeat`, in every ' +
      'trial.',
  ),
  kind: z
    .enum(faultKindNames)
    .describe(`${faultKindNames.map((kind) => `${kind}: ${faultKinds[kind].description}`).join('; ')}.`),
  for: positiveDuration
    .optional()
    .describe(
      'How long it lasts, after which it is undone. Default: to the end of the last stage; kill and stop act once.',
    ),
  name: name
    .optional()
    .describe(
      'Its name in reports, and as the `fault` label of thresholds. Default: its kind, with a number if needed.',
    ),
  stage: name.optional().describe('The stage in which it begins; `at` then counts from the start of that stage.'),
  every: positiveDuration.optional().describe('It comes again and again, from one beginning to the next.'),
  times: wholeNumber(1, 1000)
    .optional()
    .describe('With `every`: how often it comes. Default: as often as fits before the end of the last stage.'),
  ...keysOfAllKinds,
});

export type FaultSource = z.infer<typeof faultSchema>;

/** The keys of every fault, whatever its kind. */
export const commonFaultKeys: readonly string[] = ['at', 'kind', 'for', 'name', 'stage', 'every', 'times'];

export function kindOf({ kind }: { readonly kind: FaultKindName }): FaultKind<FaultAction> {
  return faultKinds[kind] as unknown as FaultKind<FaultAction>;
}

/** Such as `scale mcp-server to 16 replicas`. */
export function describeFault(fault: FaultAction): string {
  return kindOf(fault).describe(fault);
}
