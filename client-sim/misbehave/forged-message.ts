import type { Endpoint } from '../protocol/messages.js';
import type { Deed } from './deed.js';
import type { ProperMessage } from './spoil-message.js';

/** What is sent for one deed over a connection that carries messages both ways. */
export interface ForgedMessage {
  /** In the order they are sent. */
  readonly pieces: readonly Buffer[];
  /** How many answers a server would give that finds nothing wrong. */
  readonly answers: number;
  /** What the sample in the report shows. */
  readonly text: string;
}

export type ForgeMessage = (
  deed: Deed,
  proper: ProperMessage & { readonly endpoint: Endpoint },
  oversizeBytes: number,
) => ForgedMessage;
