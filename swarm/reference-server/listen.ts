import type { Server } from 'node:net';

/** More than Node's default of 511: a load may open thousands of connections at once. */
const BACKLOG = 4096;

/** Resolves when the server listens. @throws the error of `listen`, for example EADDRINUSE */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
