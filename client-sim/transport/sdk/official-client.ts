import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import type { ClientInfo } from '../../mcp/revisions.js';

/**
 * One session of the client of either official SDK. Types only: importing this loads no SDK. All promises may reject
 * with whatever the SDK throws; the exchanges below it show what that means.
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
  /** Sends DELETE, where there is a session. */
  terminate(): Promise<void>;
  close(): Promise<void>;
}

interface CallOptions {
  /** Headers made from arguments: the SDK would make them only for tools in a list that it has read itself. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cancels the call; the SDK tells the server, as its era requires. */
  readonly signal: AbortSignal;
  readonly onresumptiontoken: OnResumptionToken;
}

/**
 * Receives the id of each event on the stream of a call. The SDK passes it down to its transport, so it also identifies
 * the call that a message belongs to.
 */
export type OnResumptionToken = (eventId: string) => void;

interface OfficialClientOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  readonly fetch: typeof fetch;
  readonly hooks: MessageHooks;
}

/** Observes the messages between an SDK's client and its transport, and changes none. */
export interface MessageHooks {
  /** A JSON-RPC message that we send, with the token of the call it belongs to. */
  onSend(message: unknown, token: OnResumptionToken | undefined): void;
  /** A JSON-RPC message from the server, before the SDK has judged its result. */
  onMessage(message: unknown): void;
  /** An error in the SDK's transport that rejects no promise. */
  onError(error: Error): void;
}

export type CreateOfficialClient = (options: OfficialClientOptions) => OfficialClient;

/** The largest delay of a timer: the engine limits the time, and an SDK's own timer must not end a call before it. */
export const NO_TIMEOUT_MS = 2_147_483_647;

/** The common part of both SDKs' transports. */
interface ObservableTransport<Message, Options extends { readonly onresumptiontoken?: OnResumptionToken | undefined }> {
  onmessage?: ((message: Message) => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  send(message: Message, options?: Options): Promise<void>;
}

/** Precondition: the client is not connected to it yet; an SDK keeps handlers that were set on its transport before. */
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
