import type { PinnedProtocol } from '../protocol/messages.js';
import type { ControlAnswer, ControlOutcome } from '../transport/control.js';
import type { RequestKind } from '../transport/request-head.js';

/**
 * The port for all that is not load (preflight, tests): one request at a time, with promises. Beside each `Channel`
 * there is one.
 */
export interface PreflightClient {
  /** Session and version of what the line says by itself: answers to the server's own requests. */
  sessionHeaders: Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;
  /** What the endpoint has set, where it is one that cookies are kept for. */
  readonly cookies?: { readonly header: string | undefined } | undefined;
  /**
   * Sends one message and waits for its answer; never rejects for anything the server does.
   * A transport without HTTP says status 200 and type `json` of every answer.
   * @param id of the JSON-RPC answer awaited; undefined: none is due (a notification), or the end of the HTTP answer
   */
  exchange(
    era: PinnedProtocol['era'],
    kind: RequestKind,
    body: string,
    id: number | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome>;
  /** Request and answer as text for a record; not yet redacted. */
  requestText(era: PinnedProtocol['era'], kind: RequestKind, body: string): string;
  responseText(answer: ControlAnswer): string;
  close(): void;
}
