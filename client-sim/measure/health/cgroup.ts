import { readFileSync } from 'node:fs';

/** The CPU limit of this process's cgroup, and how long it has throttled the group. */
export interface CpuGroup {
  /** Total milliseconds so far; undefined if the group has no limit or is unknown. */
  throttledMs(): number | undefined;
  /** In cores; undefined: no limit. */
  readonly quotaCores: number | undefined;
}

export type ReadText = (path: string) => string | undefined;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The file does not exist on this kernel or may not be read, so the figure is unknown.
    return undefined;
  }
}

/**
 * Finds the cgroup of this process: in v2, else in the `cpu` controller of v1. In a container it is the root of the
 * mount.
 */
export function cpuGroup(read: ReadText = readText): CpuGroup {
  const membership = read('/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/m.exec(membership)?.[1] ?? '/';
  for (const folder of [`/sys/fs/cgroup${unified}`, '/sys/fs/cgroup']) {
    if (read(`${folder}/cpu.stat`)?.includes('usage_usec')) return versionTwo(folder, read);
  }
  const path = /^\d+:[^:]*\bcpu\b[^:]*:(.*)$/m.exec(membership)?.[1] ?? '/';
  for (const folder of [`/sys/fs/cgroup/cpu${path}`, `/sys/fs/cgroup/cpu,cpuacct${path}`, '/sys/fs/cgroup/cpu']) {
    if (read(`${folder}/cpu.stat`) !== undefined) return versionOne(folder, read);
  }
  return { throttledMs: () => undefined, quotaCores: undefined };
}

function versionTwo(folder: string, read: ReadText): CpuGroup {
  const [quota, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/);
  const cores = Number(quota) / Number(period);
  return {
    throttledMs: () => field(read(`${folder}/cpu.stat`), 'throttled_usec', 1_000),
    quotaCores: Number.isFinite(cores) && cores > 0 ? cores : undefined,
  };
}

function versionOne(folder: string, read: ReadText): CpuGroup {
  const cores = Number(read(`${folder}/cpu.cfs_quota_us`)) / Number(read(`${folder}/cpu.cfs_period_us`));
  return {
    throttledMs: () => field(read(`${folder}/cpu.stat`), 'throttled_time', 1_000_000),
    quotaCores: Number.isFinite(cores) && cores > 0 ? cores : undefined,
  };
}

function field(text: string | undefined, name: string, perMs: number): number | undefined {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? undefined : Number(value) / perMs;
}
