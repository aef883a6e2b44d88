/**
 * `Retry-After` (RFC 9110, 10.2.3) as milliseconds from now: seconds, or a date. Undefined when absent or unreadable.
 * @param nowEpochMs milliseconds since the epoch, what a date is measured against
 */
export function parseRetryAfter(value: string, nowEpochMs: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  if (!/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowEpochMs);
}
