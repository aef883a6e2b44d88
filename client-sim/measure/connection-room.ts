import { type ReadText, readText } from './cgroup.js';
import { openFilesLimit } from './process-limits.js';

/** How many connections this process may hold, and what sets that bound, in words. */
export interface ConnectionRoom {
  readonly connections: number;
  readonly bound: string;
}

/** Of open files: the rest is for the process itself. Of the others: the rest is for everybody else on this machine. */
const SHARE = 0.8;
/** A connection with its session in this process and in the kernel (measured: 6 and 5 KiB). */
const BYTES_PER_CONNECTION = 12 * 1024;

/**
 * The least of what open files, tracked connections and memory allow. Local ports depend on the target: see
 * `localPorts`.
 */
export function connectionRoom(read: ReadText = readText): ConnectionRoom {
  const files = openFilesLimit(read);
  const rooms: ConnectionRoom[] = [
    { connections: Math.floor(files * SHARE), bound: `of ${files} open files (ulimit -n)` },
  ];
  const memoryKib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Number.NaN);
  if (Number.isFinite(memoryKib)) {
    rooms.push({
      connections: Math.floor((memoryKib * 1024 * SHARE) / BYTES_PER_CONNECTION),
      bound: `of ${Math.floor(memoryKib / 1024)} MiB of free memory`,
    });
  }
  const [tracked, most] = ['count', 'max'].map((name) =>
    Number(read(`/proc/sys/net/netfilter/nf_conntrack_${name}`) ?? Number.NaN),
  );
  if (tracked !== undefined && most !== undefined && most > 0 && tracked >= 0) {
    rooms.push({
      connections: Math.floor(Math.max(0, most - tracked) * SHARE),
      bound: `of ${most - tracked} connections the kernel can still track (nf_conntrack_max)`,
    });
  }
  return rooms.reduce((least, room) => (room.connections < least.connections ? room : least));
}
