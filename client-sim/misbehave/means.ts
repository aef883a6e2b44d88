import type { Endpoint } from '../protocol/messages.js';
import type { ChannelConfig } from '../transport/channel.js';
import { DuplexConnection, type DuplexOwner } from '../transport/duplex/duplex-connection.js';
import type { Framing } from '../transport/duplex/framing.js';
import type { DuplexLink } from '../transport/duplex/link.js';
import { socketAddress } from '../transport/duplex/over-socket.js';
import { type Pace, paceOf } from '../transport/http/pace.js';
import { requestBytes } from '../transport/request-head.js';
import type { WireShared } from '../transport/shared.js';
import { SseLink, STREAM } from '../transport/sse/sse-link.js';
import { PipeLink } from '../transport/stdio/pipe-link.js';
import { serverOf } from '../transport/stdio.js';
import { LineFraming } from '../transport/tcp/line-framing.js';
import { WebSocketFraming } from '../transport/websocket/websocket-framing.js';
import { forge } from './forge.js';
import { forgeFrame } from './forge-frame.js';
import { forgeLine } from './forge-line.js';
import type { ForgedMessage, ForgeMessage } from './forged-message.js';
import { shown } from './spoil-message.js';

export interface LinkOptions extends Pace, Pick<ChannelConfig, 'endpoint' | 'pinned' | 'resettable'> {
  /** No more than the connection: what opens a session on it is for the deed to send. */
  readonly bare: boolean;
}

/** Who may ask to be told when a read of the server's answers is over. */
export interface Watcher extends DuplexOwner {
  readonly watches: boolean;
  onReadOver(): void;
}

/** A connection for one deed, and the bytes of it. */
export interface Accomplice {
  readonly link: DuplexLink;
  readonly forge: ForgeMessage;
}

/** How misdeeds are done over a transport. */
export type Means = (owner: Watcher, shared: WireShared, options: LinkOptions) => Accomplice;

class WatchedConnection extends DuplexConnection {
  constructor(
    private readonly watcher: Watcher,
    shared: WireShared,
    options: LinkOptions,
    framing: Framing,
  ) {
    super(watcher, shared, socketAddress(options, shared), framing, paceOf(options));
  }

  override onSocketRead(...read: Parameters<DuplexConnection['onSocketRead']>): boolean {
    // One that begins to watch within a read has the next one to wait for.
    const { watches } = this.watcher;
    const goesOn = super.onSocketRead(...read);
    if (watches) this.watcher.onReadOver();
    return goesOn;
  }
}

export const overWebSocket: Means = (owner, shared, options) => ({
  link: new WatchedConnection(
    owner,
    shared,
    options,
    options.bare ? new LineFraming() : new WebSocketFraming(options.endpoint),
  ),
  forge: forgeFrame,
});

export const overTcp: Means = (owner, shared, options) => ({
  link: new WatchedConnection(owner, shared, options, new LineFraming()),
  forge: forgeLine,
});

/** Planning refuses aborts here: nobody watches. */
export const overStdio: Means = (owner, shared, options) => ({
  link: new PipeLink(owner, shared, serverOf(options.endpoint), paceOf(options)),
  forge: forgeLine,
});

class WatchedSse extends SseLink {
  private watches = false;

  constructor(
    private readonly watcher: Watcher,
    shared: WireShared,
    options: LinkOptions,
  ) {
    super(watcher, shared, { ...options, connections: 1, pipeline: 1 });
  }

  // Not of answers to posts, which say nothing.
  override onSourceRead(nowMs: number): void {
    super.onSourceRead(nowMs);
    this.watches = this.watcher.watches;
  }

  override onSourceReadOver(): void {
    super.onSourceReadOver();
    if (this.watches) this.watcher.onReadOver();
  }
}

export const overSse: Means = (owner, shared, options) => {
  const { endpoint } = options;
  if (options.bare)
    return {
      link: new WatchedConnection(owner, shared, options, new LineFraming()),
      forge: () => halfOfStream(endpoint),
    };
  const link = new WatchedSse(owner, shared, options);
  return {
    link,
    forge: (deed, proper, oversizeBytes) => {
      const { requests, body } = forge(
        deed,
        { ...proper, endpoint: link.posts ?? endpoint, kind: { verb: 'POST' } },
        oversizeBytes,
      );
      return { pieces: requests, answers: requests.length, text: body };
    },
  };
};

/** Of the request that would open the stream. */
function halfOfStream(endpoint: Endpoint): ForgedMessage {
  const request = requestBytes(endpoint, 'legacy', STREAM, '');
  const half = request.subarray(0, Math.ceil(request.length / 2));
  return { pieces: [half], answers: 0, text: shown(half) };
}
