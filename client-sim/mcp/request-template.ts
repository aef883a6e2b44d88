/** One operation of a profile, compiled to bytes once; see `compileRequest`. */
import type { Draw } from './draw.js';
import type { Expectation } from './expectation.js';

export interface RequestTemplate {
  /** Dense number within its profile, for caches indexed by template. */
  readonly index: number;
  readonly method: string;
  /** Value of `Mcp-Name` (stateless era), header-encoded; undefined where the method has none. */
  readonly nameHeader: string | undefined;
  /** What its answers are held against; they are all parsed then, none is known by its pattern. */
  readonly expectation?: Expectation | undefined;
  /** Upper bound of the body's length in bytes, so that a buffer can be sized once. */
  readonly maxBodyBytes: number;
  /** Writes the JSON-RPC request with a 10-digit id at `offset` and returns its length in bytes. */
  writeBody(into: Buffer, offset: number, id: number, draw: Draw): number;
}
