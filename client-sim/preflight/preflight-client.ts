import type { PinnedProtocol } from '../protocol/messages.js';
import type { ControlAnswer, ControlOutcome } from '../transport/control.js';
import type { RequestKind, SessionHeaders } from '../transport/request-head.js';

/** The port to a server for everything that is not load (preflight, tests): one request at a time, with promises. */
export interface PreflightClient {
  /** Headers of the answers that the client gives to the server's own requests. */
  sessionHeaders: SessionHeaders;
  /** Cookies that the endpoint has set, where they are kept. */
  readonly cookies?: { readonly header: string | undefined } | undefined;
  /**
   * Sends one message and waits for its answer; never rejects for anything the server does. A transport without HTTP
   * gives every answer status 200 and type `json`.
   * @param id of the JSON-RPC answer awaited; undefined: none is due (a notification), or it is done when the HTTP
   * answer ends
   */
  exchange(
    era: PinnedProtocol['era'],
    kind: RequestKind,
    body: string,
    id: number | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome>;
  /** Request and answer as text for the record; not yet redacted. */
  requestText(era: PinnedProtocol['era'], kind: RequestKind, body: string): string;
  responseText(answer: ControlAnswer): string;
  close(): void;
  /** The next message replaces the connection, or the process, also where it still lives. */
  restart?(): void;
}
