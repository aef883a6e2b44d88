import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const TRACKED = '/proc/sys/net/netfilter/nf_conntrack_count';

/**
 * Whether the packet filter keeps track of connections on loopback, as it does where rules of Docker's are loaded: each
 * packet then costs more, which is the same for all clients, and so moves all ratios towards 1.
 * @param url of a server that listens @returns undefined where the kernel does not say
 */
export async function isLoopbackTracked(url: string): Promise<boolean | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return Number(readFileSync(TRACKED, 'utf8')) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    socket.destroy();
  }
}
