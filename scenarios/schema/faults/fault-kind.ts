import type { z } from 'zod';
import type { Path } from '../../yaml/node.js';
import type { SourcePart } from '../source-part.js';

/** One kind of fault: everything that scenarios and plans know of it. See `fault-kinds.ts` for the list. */
export interface FaultKind<Action extends { readonly kind: string }, Keys extends z.ZodRawShape = z.ZodRawShape> {
  /** What it does, in a sentence for the description of `kind`. */
  readonly description: string;
  /** Its keys beside `at`, `kind` and `for`. All are optional in the schema; `resolve` reports what is missing. */
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
