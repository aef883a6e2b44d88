import type { ClientInfo } from '../../mcp/revisions.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { WireShared } from '../shared.js';
import type { Address } from '../socket/socket.js';
import type { Exchange } from './exchange.js';
import type { Sdk } from './load-sdk.js';
import type { MessageHooks, OfficialClient } from './official-client.js';
import type { SessionSockets } from './session-sockets.js';

export interface SdkSessionOwner extends MessageHooks {
  readonly cookie: string | undefined;
  /** @returns false: nobody waits for it any more */
  onStart(exchange: Exchange): boolean;
  onHead(exchange: Exchange): void;
  onEnd(exchange: Exchange): void;
  /** Whether somebody still waits for what would follow this event. */
  wantsResumed(lastEventId: string): boolean;
}

interface SdkSessionOptions {
  readonly endpoint: Endpoint;
  readonly address: Address;
  readonly clientInfo: ClientInfo;
}

/** An SDK's client, its fetch and its connections: made together, ended together. */
export class SdkSession {
  readonly client: OfficialClient;
  /** The last of its own requests: handshake, goodbye. */
  lastControl: Exchange | undefined;
  private readonly sockets: SessionSockets;
  private readonly live = new Set<Exchange>();
  private ended = false;

  constructor(
    sdk: Sdk,
    private readonly owner: SdkSessionOwner,
    { endpoint, address, clientInfo }: SdkSessionOptions,
    { counters, connectLimiter }: WireShared,
  ) {
    const url = new URL(endpoint.url);
    this.sockets = new sdk.SessionSockets(url.origin, address, counters, connectLimiter);
    this.client = sdk.createOfficialClient({
      url,
      headers: endpoint.headers,
      clientInfo,
      hooks: owner,
      fetch: sdk.sdkFetch(this.sockets.dispatcher, this.fetchOwner()),
    });
  }

  get isConnected(): boolean {
    return this.sockets.opened > 0;
  }

  /** Brings the byte counters up to date. */
  tally(): void {
    this.sockets.tally();
  }

  /** For good, without a goodbye. @param reset with RST instead of FIN */
  end(reset: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.sockets.tally();
    // The sockets first where they are to be reset: an SDK that closes would have them closed politely.
    if (reset) this.sockets.cut(true);
    this.client.close().catch(() => undefined);
    for (const exchange of this.live) exchange.abort.abort();
    this.sockets.cut(false);
  }

  private fetchOwner(): Parameters<Sdk['sdkFetch']>[1] {
    const owner = this.owner;
    const sockets = this.sockets;
    return {
      get cookie() {
        return owner.cookie;
      },
      wantsResumed: (lastEventId) => owner.wantsResumed(lastEventId),
      onStart: (exchange) => {
        if (this.ended || !owner.onStart(exchange)) return false;
        this.live.add(exchange);
        if (exchange.verb === 'POST') this.lastControl = exchange;
        return true;
      },
      onHead: (exchange) => owner.onHead(exchange),
      onEnd: (exchange) => {
        this.live.delete(exchange);
        owner.onEnd(exchange);
      },
      isConnectError: (error) => sockets.isConnectError(error),
    };
  }
}
