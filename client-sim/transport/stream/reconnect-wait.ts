import { mix32 } from '../../mcp/draw.js';

const FIRST_MS = 100;
const LAST_MS = 5_000;

/**
 * How long to wait before a stream is opened again, milliseconds: what the server asked for (`retry:`), at least; else
 * 100 ms, doubling with each attempt that failed to 5 s, spread by 25 % either way so that a thousand clients do not
 * come back as one.
 * @param retryMs -1: the server never said
 * @param failures attempts since the stream was last open
 */
export function reconnectWaitMs(retryMs: number, failures: number, salt: number): number {
  const spread = 0.75 + (mix32(salt + failures) >>> 0) / 2 ** 33;
  const backoffMs = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures, 16)) * spread;
  if (retryMs < 0) return backoffMs;
  return failures === 0 ? retryMs : Math.max(retryMs, backoffMs);
}
