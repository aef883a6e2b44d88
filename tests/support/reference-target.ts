import {
  type ReferenceServer,
  type ReferenceServerOptions,
  startReferenceServer,
} from '../../swarm/reference-server/reference-server.js';
import { onTestEnd } from './test-end.js';

/** The reference server in this process, so that its counts can be read after a run. Ends with the test. */
export async function startReferenceTarget(
  options: Partial<ReferenceServerOptions> = {},
): Promise<ReferenceServer & { readonly url: string }> {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    id: 'r1',
    era: 'both',
    answers: 'json',
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 1_000,
    seed: 1,
    replay: 1_000,
    ...options,
  });
  onTestEnd(() => server.close(500));
  return { ...server, url: `http://127.0.0.1:${server.port}/mcp` };
}
