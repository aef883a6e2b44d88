import { readdirSync, statSync } from 'node:fs';
import { type ReadText, readText } from './cgroup.js';

/** How many connections this process can hold, and what limits them, as text. */
interface ConnectionCapacity {
  readonly connections: number;
  readonly bound: string;
}

/** The usable share: of open files, the rest is for the process itself; of others, for other processes. */
const SHARE = 0.8;
/** A connection with its session in this process and in the kernel (measured: 6 and 5 KiB). */
const BYTES_PER_CONNECTION = 12 * 1024;

/**
 * The smallest of the limits by open files, tracked connections and memory. Local ports depend on the target: see
 * `localPorts`.
 */
export function connectionCapacity(read: ReadText = readText): ConnectionCapacity {
  const files = openFilesLimit(read);
  const capacities: ConnectionCapacity[] = [
    { connections: Math.floor(files * SHARE), bound: `of ${files} open files (ulimit -n)` },
  ];
  const memoryKib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? Number.NaN);
  if (Number.isFinite(memoryKib)) {
    capacities.push({
      connections: Math.floor((memoryKib * 1024 * SHARE) / BYTES_PER_CONNECTION),
      bound: `of ${Math.floor(memoryKib / 1024)} MiB of free memory`,
    });
  }
  const [tracked, most] = ['count', 'max'].map((name) =>
    Number(read(`/proc/sys/net/netfilter/nf_conntrack_${name}`) ?? Number.NaN),
  );
  if (tracked !== undefined && most !== undefined && most > 0 && tracked >= 0) {
    capacities.push({
      connections: Math.floor(Math.max(0, most - tracked) * SHARE),
      bound: `of ${most - tracked} connections the kernel can still track (nf_conntrack_max)`,
    });
  }
  return capacities.reduce((least, capacity) => (capacity.connections < least.connections ? capacity : least));
}

/** Without /proc the limit is unknown, so it is assumed to be out of reach. */
const UNKNOWN_LIMIT = 1_048_576;

export function openFilesLimit(read: ReadText = readText): number {
  const soft = /^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const limit = Number(soft);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : UNKNOWN_LIMIT;
}

const OPEN_FILES = '/proc/self/fd';

/**
 * Linux 6.2 and later give the number as the size of the folder. On older kernels the folder is read: with 14,000
 * connections that takes 17 ms each second (measured), a fifth of the time that a worker needs to call each of them
 * every 20 s.
 */
export function openFiles(): number {
  try {
    const { size } = statSync(OPEN_FILES);
    if (size > 0) return size;
    return readdirSync(OPEN_FILES).length;
  } catch {
    // There is no /proc here: unknown counts as 0.
    return 0;
  }
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'ws:': 80, 'https:': 443, 'wss:': 443 };
/** Below this share of the limit the sums of the kernel are enough: they can only be too high. */
const LOOK_CLOSER_FROM = 0.8;
const REMOTE_PORT = /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:([0-9A-F]{4})/gm;

interface LocalPorts {
  /** Connections to the ports of the target, also in TIME_WAIT: an upper bound of the local ports in use. */
  readonly used: number;
  /**
   * Size of the kernel's range of local ports, once for each remote address and port and each local address.
   */
  readonly limit: number;
}

/**
 * The sums of /proc/net/sockstat cost nothing, but count all connections in this network namespace. Only when they come
 * near the limit is the list of connections read, which takes tens of milliseconds, to count only those to the target.
 * @param urls of the target; empty: one unknown address
 * @param sources how many local addresses connect to each
 * @returns undefined without /proc
 */
export function localPorts(urls: readonly string[], read: ReadText = readText, sources = 1): LocalPorts | undefined {
  const range = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  const sockets = /^TCP: inuse (\d+) .*\btw (\d+)/m.exec(read('/proc/net/sockstat') ?? '');
  if (range === null || sockets === null) return undefined;
  const targets = urls.map((url) => new URL(url));
  const addresses = new Set(targets.map(({ host }) => host)).size;
  const limit = (Number(range[2]) - Number(range[1]) + 1) * Math.max(1, addresses) * sources;
  // On loopback both ends of a connection are counted, and only one of them uses a local port.
  const ends = targets.length > 0 && targets.every(({ hostname }) => LOOPBACK.test(hostname)) ? 2 : 1;
  const sum = Math.ceil(Number(sockets[1]) / ends) + Number(sockets[2]);
  if (sum < LOOK_CLOSER_FROM * limit || targets.length === 0) return { used: sum, limit };
  return { used: Math.min(sum, connectionsTo(targets, read) ?? sum), limit };
}

/**
 * Compares ports only, because names are not resolved here and an upper bound is enough. The server's end of a
 * connection has our port as its remote port.
 */
function connectionsTo(targets: readonly URL[], read: ReadText): number | undefined {
  const lists = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => read(path) ?? []);
  if (lists.length === 0) return undefined;
  const ports = new Set(
    targets.map(({ port, protocol }) => (port === '' ? (DEFAULT_PORT[protocol] ?? 0) : Number(port))),
  );
  let count = 0;
  for (const list of lists)
    for (const [, port = ''] of list.matchAll(REMOTE_PORT)) if (ports.has(parseInt(port, 16))) count++;
  return count;
}
