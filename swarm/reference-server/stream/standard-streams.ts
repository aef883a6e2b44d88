import { Duplex, type Readable, type Writable } from 'node:stream';
import { Catalogue } from '../catalogue/catalogue.js';
import { Tally } from '../observe/tally.js';
import type { ReferenceServerOptions } from '../reference-server.js';
import { lineConversation } from './line-conversation.js';
import { StreamService } from './stream-service.js';

/**
 * The same server for one client, over these two streams: what it counts nobody can ask for. @returns when the input
 * has ended
 */
export function serveStandardStreams(
  { id, era, seed }: Pick<ReferenceServerOptions, 'id' | 'era' | 'seed'>,
  input: Readable,
  output: Writable,
): Promise<void> {
  const tally = new Tally();
  const catalogue = new Catalogue(seed, () => tally.reset());
  const observer = { begun: () => undefined, ended: () => undefined, streams: tally };
  const service = new StreamService(catalogue, { replica: id, era }, observer, tally);
  return new Promise((resolve) => {
    input.once('end', resolve);
    input.once('close', resolve);
    service.serve(lineConversation(Duplex.from({ readable: input, writable: output })));
  });
}
