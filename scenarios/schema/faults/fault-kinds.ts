/** All kinds of faults. A new kind is a file like `scale.ts` and a line in `faultKinds`. */
import { z } from 'zod';
import { duration, positiveDuration } from '../keys/fields.js';
import type { FaultKind } from './fault-kind.js';
import { scale } from './scale.js';

export const faultKinds = { scale } as const satisfies Readonly<Record<string, FaultKind<{ readonly kind: string }>>>;

type Kinds = typeof faultKinds;
type KindName = keyof Kinds;

/** What a fault does, without its time. */
export type FaultAction = { [Name in KindName]: NonNullable<ReturnType<Kinds[Name]['resolve']>> }[KindName];

type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

const kindNames = Object.keys(faultKinds) as [KindName, ...KindName[]];
const keysOfAllKinds = Object.assign({}, ...Object.values(faultKinds).map(({ keys }) => keys)) as Intersection<
  Kinds[KindName]['keys']
>;

/** A fault, as written. The keys of all kinds stand side by side; `resolveFaults` refuses those of another kind. */
export const faultSchema = z.strictObject({
  at: duration.describe('When it begins, from the start of the first stage; with `repeat`, in every trial.'),
  kind: z
    .enum(kindNames)
    .describe(`${kindNames.map((name) => `${name}: ${faultKinds[name].description}`).join('; ')}.`),
  for: positiveDuration
    .optional()
    .describe('How long it lasts, after which it is undone. Default: to the end of the last stage.'),
  ...keysOfAllKinds,
});

export type FaultSource = z.infer<typeof faultSchema>;

export function kindOf({ kind }: { readonly kind: KindName }): FaultKind<FaultAction> {
  return faultKinds[kind];
}

/** Such as `scale mcp-server to 16 replicas`. */
export function describeFault(fault: FaultAction): string {
  return kindOf(fault).describe(fault);
}
