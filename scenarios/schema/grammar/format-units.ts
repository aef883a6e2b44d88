/** Quantities back as text; each parses again to the same value. */

export function formatDuration(ms: number): string {
  if (ms < 1000) return ms > 0 && ms < 1 ? `${trim(ms * 1000)}us` : `${trim(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${trim(seconds)}s` : ''}`;
}

export function formatRate(perSecond: number): string {
  return `${trim(perSecond)}/s`;
}

export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size) return `${trim(bytes / size)} ${unit}`;
  }
  return `${trim(bytes)} B`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(12)));
}
