import { runProgram } from './entry.js';
import { parseReferenceOptions } from './options.js';
import { startReferenceServer } from './reference-server.js';

await runProgram(parseReferenceOptions, async (options) => {
  const { port, close } = await startReferenceServer(options);
  return { host: options.host, id: options.id, port, close };
});
