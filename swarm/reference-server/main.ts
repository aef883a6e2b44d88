import { runProgram, streamEndpoints } from './entry.js';
import { parseReferenceOptions } from './options.js';
import { serveStandardStreams, startReferenceServer } from './reference-server.js';

await runProgram(
  parseReferenceOptions,
  async (options) => {
    const { port, streamPort, close } = await startReferenceServer(options);
    // HTTP+SSE is of the session era, as is its SDK.
    const endpoints = (host: string): Readonly<Record<string, string>> => ({
      ...streamEndpoints(streamPort)(host),
      ...(options.era === 'modern' ? {} : { sse: `http://${host}:${port}/sse` }),
    });
    return { host: options.host, id: options.id, port, endpoints, close };
  },
  (options, input, output) => (options.stdio ? serveStandardStreams(options, input, output) : undefined),
);
