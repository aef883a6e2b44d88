import type { ClientInfo } from '../../mcp/revisions.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { ProfileShared } from '../shared.js';
import type { Address } from '../socket/socket.js';
import type { Exchange } from './exchange.js';
import type { Sdk } from './load-sdk.js';
import type { MessageHooks, OfficialClient } from './official-client.js';
import type { SdkFetchOwner } from './sdk-fetch.js';
import type { SessionSockets } from './session-sockets.js';

export interface SdkSessionOwner extends MessageHooks, Omit<SdkFetchOwner, 'isConnectError' | 'answerBytes'> {}

interface SdkSessionOptions {
  readonly endpoint: Endpoint;
  readonly address: Address;
  readonly clientInfo: ClientInfo;
}

/** An SDK's client with its fetch and its connections. */
export class SdkSession {
  readonly client: OfficialClient;
  /** The last POST; while the session opens, it belongs to the handshake. */
  lastControl: Exchange | undefined;
  private readonly sockets: SessionSockets;
  private readonly exchanges = new Set<Exchange>();
  private ended = false;

  constructor(
    sdk: Sdk,
    private readonly owner: SdkSessionOwner,
    { endpoint, address, clientInfo }: SdkSessionOptions,
    { counters, connectLimiter, answerLimits }: ProfileShared,
  ) {
    const url = new URL(endpoint.url);
    this.sockets = new sdk.SessionSockets(url.origin, address, counters, connectLimiter);
    this.client = sdk.createOfficialClient({
      url,
      headers: endpoint.headers,
      clientInfo,
      hooks: owner,
      fetch: sdk.sdkFetch(this.sockets.dispatcher, this.fetchOwner(answerLimits.bodyBytes)),
    });
  }

  get isConnected(): boolean {
    return this.sockets.opened > 0;
  }

  /** Brings the byte counters up to date. */
  countBytes(): void {
    this.sockets.countBytes();
  }

  /** Ends it at once, without DELETE. @param reset with RST instead of FIN */
  end(reset: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.sockets.countBytes();
    // Reset the sockets first: the SDK would close them with FIN.
    if (reset) this.sockets.destroy(true);
    this.client.close().catch(() => undefined);
    for (const exchange of this.exchanges) exchange.abort.abort();
    this.sockets.destroy(false);
  }

  private fetchOwner(answerBytes: number): SdkFetchOwner {
    const owner = this.owner;
    const sockets = this.sockets;
    return {
      answerBytes,
      get cookie() {
        return owner.cookie;
      },
      wantsResumed: (lastEventId) => owner.wantsResumed(lastEventId),
      onStart: (exchange) => {
        if (this.ended || !owner.onStart(exchange)) return false;
        this.exchanges.add(exchange);
        if (exchange.verb === 'POST') this.lastControl = exchange;
        return true;
      },
      onHead: (exchange) => owner.onHead(exchange),
      onEnd: (exchange) => {
        this.exchanges.delete(exchange);
        owner.onEnd(exchange);
      },
      isConnectError: (error) => sockets.isConnectError(error),
    };
  }
}
