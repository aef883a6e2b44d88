/**
 * A value for an `Mcp-*` header (2026-07-28, Streamable HTTP, "Standard Headers"): as it is when it is plain visible
 * ASCII, else base64 of its UTF-8 between sentinels; also when it looks like a sentinel itself.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/i.test(value)) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
