/** Reads of /proc (proc(5)). Where there is none (macOS), every function returns undefined or an empty list. */
import { existsSync, readFileSync } from 'node:fs';
import { statFields } from '../proc-stat.js';

export const hasProc = existsSync('/proc/self/stat');

export interface ProcessUsage {
  /** User and system time since its start, of all its threads, in seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Kernels report in USER_HZ, which is 100 on every architecture Node runs on (man 2 sysconf, _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Use of a process and its descendants. Undefined when it is gone. */
export function treeUsage(pid: number): ProcessUsage | undefined {
  const fields = statFields(pid);
  if (fields === undefined) return undefined;
  const [utime = 0, stime = 0, childUtime = 0, childStime = 0] = fields.slice(11, 15).map(Number);
  let cpuSeconds = (utime + stime + childUtime + childStime) / TICKS_PER_SECOND;
  let memoryBytes = residentBytes(pid);
  for (const child of childrenOf(pid)) {
    const use = treeUsage(child);
    if (use === undefined) continue;
    cpuSeconds += use.cpuSeconds;
    memoryBytes += use.memoryBytes;
  }
  return { cpuSeconds, memoryBytes };
}

/** From `status`, in kB, because `stat` counts in pages, and those are not 4 KiB everywhere. */
function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? '');
  return match === null ? 0 : Number(match[1]) * 1024;
}

function childrenOf(pid: number): readonly number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`) ?? '';
  return children
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}
