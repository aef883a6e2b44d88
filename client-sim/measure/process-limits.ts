import { readdirSync } from 'node:fs';
import { readText, type ReadText } from './cgroup.js';

/** Where there is no /proc the limits are unknown: so large that nothing is ever near them. */
const UNKNOWN_LIMIT = 1_048_576;

export function openFilesLimit(read: ReadText = readText): number {
  const soft = /^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const limit = Number(soft);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : UNKNOWN_LIMIT;
}

export function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // No /proc here: unknown counts as none.
    return 0;
  }
}

export interface LocalPorts {
  /** TCP sockets of this network namespace, those in TIME_WAIT too: an upper bound of the ports taken. */
  readonly used: number;
  /** Size of the range the kernel takes local ports from. */
  readonly limit: number;
}

export function localPorts(read: ReadText = readText): LocalPorts | undefined {
  const range = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  const sockets = /^TCP: inuse (\d+) .*\btw (\d+)/m.exec(read('/proc/net/sockstat') ?? '');
  if (range === null || sockets === null) return undefined;
  return { used: Number(sockets[1]) + Number(sockets[2]), limit: Number(range[2]) - Number(range[1]) + 1 };
}
