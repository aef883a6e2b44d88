import { readdirSync } from 'node:fs';
import { pid } from 'node:process';
import { type ReadText, readText } from './cgroup.js';

/** The cost of a server that was started for one session, with all that it started. */
interface ProcessCost {
  readonly memoryBytes: number;
  /** Processes and threads, as the limits of kernel and container count them. */
  readonly tasks: number;
}

/** The resources left for us on this machine; undefined: not known, so no limit. */
interface ProcessCapacity {
  readonly memoryBytes: number | undefined;
  readonly tasks: number | undefined;
}

/** The share of free resources that may be used; the rest is for other programs. */
const SHARE = 0.9;

/** Why so many processes cannot be started, and what to do; undefined: they can. */
export function processProblem(processes: number, cost: ProcessCost, capacity: ProcessCapacity): string | undefined {
  const fits = Math.floor(
    Math.min(
      ...(['memoryBytes', 'tasks'] as const).map(
        (what) => (SHARE * (capacity[what] ?? Infinity)) / Math.max(1, cost[what]),
      ),
    ),
  );
  if (processes <= fits) return undefined;
  const memoryBytes = processes * cost.memoryBytes;
  const shortage =
    SHARE * (capacity.memoryBytes ?? Infinity) < memoryBytes
      ? `${mebibytes(memoryBytes)} of memory, but only ${mebibytes(capacity.memoryBytes ?? 0)} are free`
      : `${processes * cost.tasks} processes and threads, but only ${capacity.tasks ?? 0} are left`;
  return (
    `${processes} sessions over stdio are ${processes} processes. Judging by the one just started, they need ` +
    `${shortage}. This machine has room for ${fits}: use fewer clients, or ` +
    `session: { mode: pool, size: ${Math.max(1, fits)} }.`
  );
}

/** @param read reads a file of the kernel */
export function processCapacity(read: ReadText = readText): ProcessCapacity {
  const free = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  const soft = Number(/^Max processes\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1]);
  const group = /^0::(.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const [most, now] = ['pids.max', 'pids.current'].map((name) =>
    Number(read(`/sys/fs/cgroup${group}/${name}`) ?? read(`/sys/fs/cgroup/${name}`)),
  );
  const limits = [soft, (most ?? Number.NaN) - (now ?? Number.NaN)].filter(
    (limit) => Number.isFinite(limit) && limit >= 0,
  );
  return {
    memoryBytes: free === undefined ? undefined : Number(free) * 1024,
    tasks: limits.length === 0 ? undefined : Math.min(...limits),
  };
}

/** The cost of all processes that descend from this one; our guards among them (`/bin/sh`) are small. */
export function costOfChildren(read: ReadText = readText): ProcessCost {
  const all = processes(read);
  const mine = new Set([pid]);
  // A child has a higher number than its parent unless the numbers have wrapped, so a few passes find them all.
  for (let before = 0; before < mine.size; ) {
    before = mine.size;
    for (const { id, parent } of all) if (mine.has(parent)) mine.add(id);
  }
  mine.delete(pid);
  let [memoryBytes, tasks] = [0, 0];
  for (const id of mine) {
    const status = read(`/proc/${id}/status`) ?? '';
    memoryBytes += Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    tasks += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return { memoryBytes, tasks };
}

function processes(read: ReadText): readonly { readonly id: number; readonly parent: number }[] {
  let names: readonly string[] = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    // There is no /proc here: the cost is not known, so it is no limit.
  }
  return names.map((name) => ({
    id: Number(name),
    parent: Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`) ?? '')?.[1] ?? 0),
  }));
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
