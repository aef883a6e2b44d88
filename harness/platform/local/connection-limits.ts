/** How many connections this machine bears, and what sets each bound, in words. */
import { readText } from './proc.js';

export interface ConnectionLimit {
  readonly connections: number;
  /** What of: `20000 open files a process (ulimit -n)`. */
  readonly of: string;
}

export interface ConnectionLimits {
  /** A worker's, and a replica's. */
  readonly perProcess: ConnectionLimit;
  /** Local ports to one address and port: each connection to it takes one. */
  readonly perAddress: ConnectionLimit | undefined;
  /** Of all programs together. */
  readonly inAll: readonly ConnectionLimit[];
}

type ReadText = (path: string) => string | undefined;

/** Of each limit: the rest is for the process itself, and for everybody else. */
const SHARE = 0.8;
/** One end of a connection: session and socket in our process, and what the kernel keeps (measured: 6 and 5 KiB). */
const BYTES_PER_END = 12 * 1024;

/** @param ends of each connection that are on this machine: 1, or 2 where the target is here, too */
export function readConnectionLimits(ends: 1 | 2, read: ReadText = readText): ConnectionLimits {
  return {
    perProcess: filesBound(read),
    perAddress: portsBound(read),
    inAll: [memoryBound(ends, read), trackingBound(read)].filter((bound) => bound !== undefined),
  };
}

/** Node has raised our own soft limit to the hard one, and our programs do the same. */
function filesBound(read: ReadText): ConnectionLimit {
  const files = Number(/^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(files)) return { connections: Infinity, of: 'no limit that is known' };
  return { connections: Math.floor(files * SHARE), of: `${files} open files a process (ulimit -n)` };
}

function portsBound(read: ReadText): ConnectionLimit | undefined {
  const range = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  if (range === null) return undefined;
  const ports = Number(range[2]) - Number(range[1]) + 1;
  return { connections: ports, of: `${ports} local ports (net.ipv4.ip_local_port_range)` };
}

function memoryBound(ends: number, read: ReadText): ConnectionLimit | undefined {
  const freeKib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Number.NaN);
  if (!Number.isFinite(freeKib)) return undefined;
  return {
    connections: Math.floor((freeKib * 1024 * SHARE) / (BYTES_PER_END * ends)),
    of: `${Math.floor(freeKib / 1024)} MiB of free memory`,
  };
}

/** One entry a connection, both ends on this machine or not; a closed one keeps its entry for two minutes. */
function trackingBound(read: ReadText): ConnectionLimit | undefined {
  const [tracked, most] = ['count', 'max'].map((name) =>
    Number(read(`/proc/sys/net/netfilter/nf_conntrack_${name}`) ?? Number.NaN),
  );
  if (tracked === undefined || most === undefined || !(most > 0) || Number.isNaN(tracked)) return undefined;
  const left = Math.max(0, most - tracked);
  return {
    connections: Math.floor(left * SHARE),
    of: `${left} connections that the kernel can still track (net.netfilter.nf_conntrack_max; closed ones leave after two minutes)`,
  };
}
