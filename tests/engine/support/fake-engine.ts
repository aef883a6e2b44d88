/**
 * Answers like an engine that is not the manager of a swarm, where no other engine can be had; `nodes.test.ts` asks a
 * real one.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { tempFolder } from '../../support/temp-folder.js';
import { onTestEnd } from '../../support/test-end.js';

/** @param swarm as `/info` shows it (docs.docker.com/reference/api/engine, SystemInfo) @returns DOCKER_HOST */
export async function startFakeEngine(swarm: {
  readonly LocalNodeState: string;
  readonly ControlAvailable: boolean;
}): Promise<string> {
  const path = join(tempFolder(), 'engine.sock');
  const server = createServer((request, response) => {
    const isInfo = request.url?.startsWith('/info') === true;
    response.writeHead(isInfo ? 200 : 503, { 'Content-Type': 'application/json' });
    // The text of a real one (20.10).
    const message =
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to ' +
      'swarm and try again.';
    response.end(JSON.stringify(isInfo ? { Name: 'fake', Swarm: { ...swarm, NodeID: '', Error: '' } } : { message }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `unix://${path}`;
}
