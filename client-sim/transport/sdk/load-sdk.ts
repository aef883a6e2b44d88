import type { PinnedProtocol } from '../../protocol/messages.js';
import type { CreateOfficialClient } from './official-client.js';
import type { sdkFetch } from './sdk-fetch.js';
import type { SessionSockets } from './session-sockets.js';

/** What a session needs of the libraries. */
export interface Sdk {
  readonly createOfficialClient: CreateOfficialClient;
  readonly sdkFetch: typeof sdkFetch;
  readonly SessionSockets: typeof SessionSockets;
}

const loaded = new Map<PinnedProtocol['era'], Promise<Sdk>>();

/** Loads the SDK of the era, once: some 20 MB a thread and its compiling, which only those pay who use it. */
export function loadSdk(era: PinnedProtocol['era']): Promise<Sdk> {
  let sdk = loaded.get(era);
  if (sdk === undefined) loaded.set(era, (sdk = load(era)));
  return sdk;
}

async function load(era: PinnedProtocol['era']): Promise<Sdk> {
  const [client, { sdkFetch }, { SessionSockets }] = await Promise.all([
    era === 'legacy' ? import('./session-client.js') : import('./stateless-client.js'),
    import('./sdk-fetch.js'),
    import('./session-sockets.js'),
  ]);
  return { createOfficialClient: client.createOfficialClient, sdkFetch, SessionSockets };
}
