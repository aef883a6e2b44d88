/** Close codes (RFC 6455, 7.4.1) that this client sends or is told. */
export const CLOSE = {
  normal: 1000,
  protocolError: 1002,
  unsupported: 1003,
  /** Of a close frame without a code; never sent. */
  none: 1005,
  notUtf8: 1007,
  tooBig: 1009,
} as const;

/**
 * Codes that may stand in a close frame: the registered ones, and those of libraries (3000) and applications (4000).
 */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
