/** One operation of a profile, compiled to bytes once; see `compileRequest`. */
import type { Draw } from './draw.js';
import type { Expectation } from './expectation.js';
import type { ParamHeaders } from './param-headers.js';

export interface RequestTemplate {
  /** Dense number within its profile, for caches indexed by template. */
  readonly index: number;
  readonly method: string;
  /** Value of `Mcp-Name` (stateless era), header-encoded; undefined where the method has none. */
  readonly nameHeader: string | undefined;
  /** Headers made from arguments (stateless era); undefined: none. */
  readonly paramHeaders?: ParamHeaders | undefined;
  /** What its answers are held against; they are all parsed then, none is known by its pattern. */
  readonly expectation?: Expectation | undefined;
  /** Upper bound of the body's length in bytes, so that a buffer can be sized once. */
  readonly maxBodyBytes: number;
  /** Where nothing drawn changes the length; undefined also where bodies are so long that a copy more would cost. */
  readonly fixed?: FixedBody | undefined;
  /** Writes the JSON-RPC request with a 10-digit id at `offset` and returns its length in bytes. */
  writeBody(into: Buffer, offset: number, id: number, draw: Draw): number;
}

/**
 * A body of one length: whoever sends it lays it out in one copy, together with what stands around it, and has the rest
 * filled in.
 */
export interface FixedBody {
  /** All of it; where something is drawn, or the id, anything. */
  readonly bytes: Buffer;
  /** Writes id and drawn values into a copy that begins at `offset`. */
  fill(into: Buffer, offset: number, id: number, draw: Draw): void;
}
