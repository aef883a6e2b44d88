/**
 * The reference server with the fixtures of the conformance suite in place of the catalogue. It takes every option of
 * `swarm/reference-server/main.js` except `--stdio`, and prints the same line.
 */
import { referenceEndpoints } from '../../../swarm/reference-server/endpoints.js';
import { runProgram } from '../../../swarm/reference-server/entry.js';
import { parseReferenceOptions } from '../../../swarm/reference-server/options.js';
import { startReferenceServer } from '../../../swarm/reference-server/reference-server.js';
import { ConformanceServers } from './conformance-servers.js';

await runProgram(parseReferenceOptions, async (options) => {
  const { port, streamPort, close } = await startReferenceServer({
    ...options,
    servers: new ConformanceServers(),
    replayAnswers: true,
  });
  return {
    id: options.id,
    address: { host: options.host, port, streamPort },
    endpoints: (address) => referenceEndpoints(address, options.era),
    close,
  };
});
