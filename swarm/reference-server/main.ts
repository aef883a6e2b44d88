import { runProgram, streamEndpoints } from './entry.js';
import { parseReferenceOptions } from './options.js';
import { startReferenceServer } from './reference-server.js';

await runProgram(parseReferenceOptions, async (options) => {
  const { port, streamPort, close } = await startReferenceServer(options);
  return { host: options.host, id: options.id, port, endpoints: streamEndpoints(streamPort), close };
});
