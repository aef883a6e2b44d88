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
  // One after another: nothing is gained by doing it at once, and not every module loader (jest's) bears it.
  const { createOfficialClient } =
    era === 'legacy' ? await import('./session-client.js') : await import('./stateless-client.js');
  const { sdkFetch } = await import('./sdk-fetch.js');
  const { SessionSockets } = await import('./session-sockets.js');
  return { createOfficialClient, sdkFetch, SessionSockets };
}
