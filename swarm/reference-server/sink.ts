import { sinkEndpoints } from './endpoints.js';
import { runProgram } from './entry.js';
import { parseSinkOptions } from './options.js';
import { startSink } from './sink/sink-server.js';

await runProgram(parseSinkOptions, async (options) => {
  const { port, streamPort, close } = await startSink(options);
  return { id: 'sink', address: { host: options.host, port, streamPort }, endpoints: sinkEndpoints, close };
});
