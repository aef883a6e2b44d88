/** How many connections this machine has room for, and what limits them. */
import { readText } from './proc.js';

export interface ConnectionLimit {
  readonly connections: number;
  /** Such as `20000 open files per process (ulimit -n)`. */
  readonly limitedBy: string;
}

export interface ConnectionLimits {
  /** For a worker, and for a replica. */
  readonly perProcess: ConnectionLimit;
  /** To one address and port: each connection to it needs a local port. */
  readonly perAddress: ConnectionLimit | undefined;
  /** For all programs together. */
  readonly total: readonly ConnectionLimit[];
}

type ReadText = (path: string) => string | undefined;

/** Used share of each limit; the rest is for the process itself and for other programs. */
const SHARE = 0.8;
/** One end of a connection: session and socket in our process, and what the kernel keeps (measured: 6 and 5 KiB). */
const BYTES_PER_END = 12 * 1024;

/** @param ends how many ends of each connection are on this machine: 2 when the target runs here, too */
export function readConnectionLimits(ends: 1 | 2, read: ReadText = readText): ConnectionLimits {
  return {
    perProcess: filesBound(read),
    perAddress: portsBound(read),
    total: [memoryBound(ends, read), trackingBound(read)].filter((bound) => bound !== undefined),
  };
}

/** The hard limit: Node raises the soft limit of our programs to it. */
function filesBound(read: ReadText): ConnectionLimit {
  const files = Number(/^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(files)) return { connections: Infinity, limitedBy: 'no known limit' };
  return { connections: Math.floor(files * SHARE), limitedBy: `${files} open files per process (ulimit -n)` };
}

function portsBound(read: ReadText): ConnectionLimit | undefined {
  const range = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  if (range === null) return undefined;
  const ports = Number(range[2]) - Number(range[1]) + 1;
  return { connections: ports, limitedBy: `${ports} local ports (net.ipv4.ip_local_port_range)` };
}

function memoryBound(ends: number, read: ReadText): ConnectionLimit | undefined {
  const freeKib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Number.NaN);
  if (!Number.isFinite(freeKib)) return undefined;
  return {
    connections: Math.floor((freeKib * 1024 * SHARE) / (BYTES_PER_END * ends)),
    limitedBy: `${Math.floor(freeKib / 1024)} MiB of free memory`,
  };
}

/** Each connection has one entry, whether one or both ends are here; a closed one keeps it for two minutes. */
function trackingBound(read: ReadText): ConnectionLimit | undefined {
  const [tracked, most] = ['count', 'max'].map((name) =>
    Number(read(`/proc/sys/net/netfilter/nf_conntrack_${name}`) ?? Number.NaN),
  );
  if (tracked === undefined || most === undefined || !(most > 0) || Number.isNaN(tracked)) return undefined;
  const left = Math.max(0, most - tracked);
  return {
    connections: Math.floor(left * SHARE),
    limitedBy:
      `${left} connections that the kernel can still track (net.netfilter.nf_conntrack_max; closed ones count for ` +
      'two minutes)',
  };
}
