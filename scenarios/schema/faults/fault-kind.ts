/** What a kind of fault is, and the parts that several kinds share: strengths, ramps and draws from the seed. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Path } from '../../yaml/node.js';
import type { SourcePart } from '../source-part.js';

/** One kind of fault: everything that scenarios and plans know of it. */
export interface FaultKind<Action extends { readonly kind: string }, Keys extends z.ZodRawShape = z.ZodRawShape> {
  /** What it does, in a sentence for the description of `kind`. */
  readonly description: string;
  /** What it does to connections that are open, and to new ones: for the reference. */
  readonly connections: { readonly open: string; readonly new: string };
  /**
   * `time`: it lasts for `for`, by default to the end of the last stage. `once`: it acts once and ends when that was
   * seen; with `for`, its effect is kept up for so long. `moment`: as `once`, and `for` is refused.
   */
  readonly lasts: 'time' | 'once' | 'moment';
  /**
   * Its keys beside those of every fault. All are optional in the schema; `resolve` reports what is missing. A key that
   * several kinds have is the same in all of them.
   */
  readonly keys: Keys;
  /**
   * The action without its time, as the plan holds it.
   * @returns undefined when something is wrong, which is reported
   */
  resolve(source: z.infer<z.ZodObject<Keys>>, context: ActionContext): Action | undefined;
  /** What it does, in words: `scale mcp-server to 16 replicas`. */
  describe(action: Action): string;
  /** What it changes. Faults with a subject in common must not overlap in time. */
  subjects(action: Action): FaultSubjects;
}

/** What a fault changes. */
export type FaultSubjects =
  | { readonly of: 'replicas'; readonly slots: readonly number[] | 'unknown' }
  | { readonly of: 'service'; readonly service: string }
  | { readonly of: 'node'; readonly node: string | 'unknown' }
  | { readonly of: 'workers'; readonly slots: readonly number[] };

export interface ActionContext {
  /** Of the fault in the scenario. */
  readonly path: Path;
  readonly scenario: SourcePart;
  /** Of the target; undefined when swarmbench does not start it. */
  readonly replicas: number | undefined;
  /** The replicas of the target whose names a scenario may use: `reference-2`, `mcp-server.2`. */
  readonly replicaNames: readonly string[];
  /** Draws some of the numbers from 1 to `of`, always the same for one seed, fault and occurrence. */
  readonly draw: (count: number, of: number) => readonly number[];
}

/** A strength that changes evenly from the start of the fault to its end; constant where both ends are equal. */
export interface Ramp {
  readonly from: number;
  readonly to: number;
}

/** @param progress share of the fault's time that is over, 0 to 1 */
export function strengthAt({ from, to }: Ramp, progress: number): number {
  return from + (to - from) * Math.min(1, Math.max(0, progress));
}

export function isRamp({ from, to }: Ramp): boolean {
  return from !== to;
}

/** A value, or a ramp from one value to another. */
export function ramped<Schema extends z.ZodType<number, string>>(quantity: Schema) {
  return z.union([
    quantity,
    z.strictObject({
      from: quantity.describe('The strength when the fault begins.'),
      to: quantity.describe('The strength when it ends. In between it changes evenly.'),
    }),
  ]);
}

export function rampOf(source: number | Ramp): Ramp {
  return typeof source === 'number' ? { from: source, to: source } : { from: source.from, to: source.to };
}

/** Such as `80ms`, or `0ms to 200ms`. */
export function describeRamp(ramp: Ramp, format: (value: number) => string): string {
  return isRamp(ramp) ? `${format(ramp.from)} to ${format(ramp.to)}` : format(ramp.from);
}

export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(6))}%`;
}

/** @param parts what makes this draw another than the next one */
export function drawFrom(seed: number, parts: readonly number[], count: number, of: number): readonly number[] {
  const ranked = Array.from({ length: of }, (_, index) => index + 1).map((number) => ({
    number,
    rank: createHash('sha256')
      .update([seed, ...parts, number].join(' '))
      .digest('hex'),
  }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked
    .slice(0, count)
    .map(({ number }) => number)
    .toSorted((a, b) => a - b);
}

export function missingKey({ path, scenario }: ActionContext, key: string, kind: string, example: string): undefined {
  scenario.reportAtValue(path, 'MISSING_KEY', `missing key \`${key}\``, `\`kind: ${kind}\` needs it: ${example}`);
  return undefined;
}
