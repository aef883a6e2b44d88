import { readdirSync, statSync } from 'node:fs';
import { readText, type ReadText } from './cgroup.js';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** Where there is no /proc the limits are unknown: so large that nothing is ever near them. */
const UNKNOWN_LIMIT = 1_048_576;

export function openFilesLimit(read: ReadText = readText): number {
  const soft = /^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const limit = Number(soft);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : UNKNOWN_LIMIT;
}

const OPEN_FILES = '/proc/self/fd';

/**
 * Linux 6.2 and later say how many there are as the folder's size. Before, the folder is read: with 14,000 connections
 * that takes 17 ms each second (measured), a fifth of all that a worker uses to call each of them every 20 s.
 */
export function openFiles(): number {
  try {
    const { size } = statSync(OPEN_FILES);
    if (size > 0) return size;
    return readdirSync(OPEN_FILES).length;
  } catch {
    // No /proc here: unknown counts as none.
    return 0;
  }
}

export interface LocalPorts {
  /** TCP connections of this network namespace, those in TIME_WAIT too: an upper bound of the ports taken. */
  readonly used: number;
  /** Size of the range the kernel takes local ports from, once for each address and port connected to, and each address connected from. */
  readonly limit: number;
}

/** @param urls of the target; none: one address somewhere @param sources how many addresses of ours connect to each */
export function localPorts(urls: readonly string[], read: ReadText = readText, sources = 1): LocalPorts | undefined {
  const range = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  const sockets = /^TCP: inuse (\d+) .*\btw (\d+)/m.exec(read('/proc/net/sockstat') ?? '');
  if (range === null || sockets === null) return undefined;
  const targets = urls.map((url) => new URL(url));
  const addresses = new Set(targets.map(({ host }) => host)).size;
  // On loopback both ends of a connection are counted here, and only one of them took a port.
  const ends = targets.length > 0 && targets.every(({ hostname }) => LOOPBACK.test(hostname)) ? 2 : 1;
  const used = Math.ceil(Number(sockets[1]) / ends) + Number(sockets[2]);
  return { used, limit: (Number(range[2]) - Number(range[1]) + 1) * Math.max(1, addresses) * sources };
}
