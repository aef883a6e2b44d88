import { referenceEndpoints } from './endpoints.js';
import { runProgram } from './entry.js';
import { parseReferenceOptions } from './options.js';
import { serveStandardStreams, startReferenceServer } from './reference-server.js';

await runProgram(
  parseReferenceOptions,
  async (options) => {
    const { port, streamPort, close } = await startReferenceServer(options);
    return {
      id: options.id,
      address: { host: options.host, port, streamPort },
      endpoints: (address) => referenceEndpoints(address, options.era),
      close,
    };
  },
  (options, input, output) => (options.stdio ? serveStandardStreams(options, input, output) : undefined),
);
