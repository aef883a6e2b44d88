import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import type { ClientInfo } from '../../mcp/revisions.js';

/**
 * One session of an official SDK's client, whichever of the two it is. Types only: who imports this pays for no SDK.
 * All promises may reject with whatever the SDK throws; what that means is told from the exchanges below it.
 */
export interface OfficialClient {
  /** Undefined: the server keeps no sessions. */
  readonly sessionId: string | undefined;
  /** The SDK's handshake: `initialize` and `notifications/initialized`, or `server/discover`. */
  connect(): Promise<void>;
  call(
    method: OperationPlan['method'],
    params: Readonly<Record<string, unknown>>,
    options: CallOptions,
  ): Promise<unknown>;
  /** DELETE, where there is a session. */
  terminate(): Promise<void>;
  close(): Promise<void>;
}

interface CallOptions {
  /** Those made from arguments: the SDK would make them itself only of a list it has read itself. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the wait: the SDK tells the server so, in the way of its era. */
  readonly signal: AbortSignal;
  readonly onresumptiontoken: OnResumptionToken;
}

/**
 * Told the id of each event on the stream of a call. The SDK hands it down to its transport: by it a message is known
 * for its call's.
 */
export type OnResumptionToken = (eventId: string) => void;

interface OfficialClientOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  readonly fetch: typeof fetch;
  readonly hooks: MessageHooks;
}

/** What passes between an SDK's client and its transport; the SDKs let it be seen, and nothing is changed. */
export interface MessageHooks {
  /** A JSON-RPC message of ours; with the function of the call it belongs to. */
  onSend(message: unknown, token: OnResumptionToken | undefined): void;
  /** A JSON-RPC message of the server's, before the SDK has judged its result. */
  onMessage(message: unknown): void;
  /** What the SDK's transport noticed and told nobody else. */
  onError(error: Error): void;
}

export type CreateOfficialClient = (options: OfficialClientOptions) => OfficialClient;

/** The engine keeps the time: an SDK's own timer must not end a call before it (the largest delay a timer takes). */
export const NO_TIMEOUT_MS = 2_147_483_647;

/** What both SDKs' transports have. */
interface ObservableTransport<Message, Options extends { readonly onresumptiontoken?: OnResumptionToken | undefined }> {
  onmessage?: ((message: Message) => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  send(message: Message, options?: Options): Promise<void>;
}

/** Precondition: the client has not been connected to it; an SDK calls what was set on its transport before. */
export function observe<Message, Options extends { readonly onresumptiontoken?: OnResumptionToken | undefined }>(
  transport: ObservableTransport<Message, Options>,
  hooks: MessageHooks,
): void {
  transport.onmessage = (message) => hooks.onMessage(message);
  transport.onerror = (error) => hooks.onError(error);
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    hooks.onSend(message, options?.onresumptiontoken);
    return send(message, options);
  };
}
