/** Text of a given size: ASCII, so characters are bytes, and none that JSON has to escape. */
export const largestFillerBytes = 8 * 1024 * 1024;

const pattern = 'abcdefghijklmnopqrstuvwxyz0123456789';
const kept = new Map<number, string>();
const keptAtMost = 64;

/** The same size is asked for again and again, so the last few are kept. */
export function filler(bytes: number): string {
  const known = kept.get(bytes);
  if (known !== undefined) return known;
  const made = pattern.repeat(Math.ceil(bytes / pattern.length)).slice(0, bytes);
  if (kept.size >= keptAtMost) kept.clear();
  kept.set(bytes, made);
  return made;
}
