/** Stands between us and the engine, byte for byte, until it is cut. */
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { engineSocket } from '../../support/swarm/swarm.js';
import { tempFolder } from '../../support/temp-folder.js';
import { onTestEnd } from '../../support/test-end.js';

interface SocketProxy {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** From now on there is no engine. */
  cut(): void;
}

export async function startSocketProxy(): Promise<SocketProxy> {
  const path = join(tempFolder(), 'engine.sock');
  const address = engineSocket();
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = 'socketPath' in address ? connect(address.socketPath) : connect(address.port, address.host);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy()).on('close', () => open.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  onTestEnd(cut);
  return { host: `unix://${path}`, cut };
}
