import type { PinnedProtocol } from '../../protocol/messages.js';
import type { CreateOfficialClient } from './official-client.js';
import type { sdkFetch } from './sdk-fetch.js';
import type { SessionSockets } from './session-sockets.js';

/** The parts of the libraries that a session needs. */
export interface Sdk {
  readonly createOfficialClient: CreateOfficialClient;
  readonly sdkFetch: typeof sdkFetch;
  readonly SessionSockets: typeof SessionSockets;
}

const loaded = new Map<PinnedProtocol['era'], Promise<Sdk>>();

/** Loads the SDK of the era, once, and only where it is used: it takes some 20 MB a thread and time to compile. */
export function loadSdk(era: PinnedProtocol['era']): Promise<Sdk> {
  let sdk = loaded.get(era);
  if (sdk === undefined) loaded.set(era, (sdk = load(era)));
  return sdk;
}

async function load(era: PinnedProtocol['era']): Promise<Sdk> {
  // One after another: loading them at once saves nothing, and jest's module loader does not support it.
  const { createOfficialClient } =
    era === 'legacy' ? await import('./session-client.js') : await import('./stateless-client.js');
  const { sdkFetch } = await import('./sdk-fetch.js');
  const { SessionSockets } = await import('./session-sockets.js');
  return { createOfficialClient, sdkFetch, SessionSockets };
}
