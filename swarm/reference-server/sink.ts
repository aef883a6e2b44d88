import { runProgram, streamEndpoints } from './entry.js';
import { parseSinkOptions } from './options.js';
import { startSink } from './sink/sink-server.js';

await runProgram(parseSinkOptions, async (options) => {
  const { port, streamPort, close } = await startSink(options);
  return { host: options.host, id: 'sink', port, endpoints: streamEndpoints(streamPort), close };
});
