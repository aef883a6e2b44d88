/** What scenarios and plans know of each kind of fault. Platforms hold how it is done. */
import { z } from 'zod';
import type { Path } from '../../yaml/node.js';
import { duration, MAX_REPLICAS, name, positiveDuration, TARGET_SERVICE, wholeNumber } from '../keys/fields.js';
import type { SourcePart } from '../source-part.js';

/** One kind of fault: everything that scenarios and plans know of it. */
interface FaultKind<Action extends { readonly kind: string }, Keys extends z.ZodRawShape = z.ZodRawShape> {
  /** What it does, in a sentence for the description of `kind`. */
  readonly description: string;
  /**
   * Its keys beside `at`, `kind` and `for`. All are optional in the schema; `resolve` reports what is missing. A key
   * that several kinds have is the same in all of them.
   */
  readonly keys: Keys;
  /**
   * The action without its time, as the plan holds it.
   * @param path of the fault in the scenario
   * @returns undefined when something is wrong, which is reported
   */
  resolve(source: z.infer<z.ZodObject<Keys>>, path: Path, scenario: SourcePart): Action | undefined;
  /** What it does, in words: `scale mcp-server to 16 replicas`. */
  describe(action: Action): string;
  /** What it changes. Faults with the same subject must not overlap in time. */
  subject(action: Action): string;
}

/** A service of the stack has another number of replicas for a while. */
interface ScaleAction {
  readonly kind: 'scale';
  readonly service: string;
  readonly replicas: number;
}

const keys = {
  service: name.optional().describe(`The service to change, by its name in the stack file. Default ${TARGET_SERVICE}.`),
  replicas: wholeNumber(0, MAX_REPLICAS)
    .optional()
    .describe('With `kind: scale`: how many replicas the service has while the fault lasts.'),
};

const scale: FaultKind<ScaleAction, typeof keys> = {
  description: 'gives a service of the stack another number of replicas',
  keys,
  resolve({ service = TARGET_SERVICE, replicas }, path, scenario) {
    if (replicas !== undefined) return { kind: 'scale', service, replicas };
    scenario.reportAtValue(
      path,
      'MISSING_KEY',
      'missing key `replicas`',
      '`kind: scale` needs the number of replicas: { at: 60s, kind: scale, replicas: 16, for: 60s }',
    );
    return undefined;
  },
  describe: ({ service, replicas }) => `scale ${service} to ${replicas} replicas`,
  subject: ({ service }) => service,
};

/** All kinds of faults. A new kind is an object like `scale`, listed here. */
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
