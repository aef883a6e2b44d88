import type { Endpoint } from '../protocol/messages.js';
import { DuplexConnection, socketAddress } from '../transport/duplex/duplex-connection.js';
import type { DuplexLink, DuplexOwner, LinkConfig } from '../transport/duplex/duplex-link.js';
import type { Framing } from '../transport/duplex/framing.js';
import { requestBytes } from '../transport/request-head.js';
import type { WireShared } from '../transport/shared.js';
import { paceOf } from '../transport/socket/pace.js';
import { SseLink, STREAM } from '../transport/sse/sse.js';
import { stdioLink } from '../transport/stdio/stdio.js';
import { LineFraming } from '../transport/tcp/line-framing.js';
import { WebSocketFraming } from '../transport/websocket/websocket.js';
import { forgeFrame } from './forge-frame.js';
import { forgeLine } from './forge-line.js';
import { forge } from './forge-request.js';
import { type ForgedMessage, type ForgeMessage, shown } from './malformed-message.js';

interface LinkOptions extends LinkConfig {
  /** No more than the connection: what opens a session on it is for the deed to send. */
  readonly bare: boolean;
}

/** Who may ask to be told when a read of the server's answers is over. */
export interface ReadObserver extends DuplexOwner {
  readonly observesReads: boolean;
  onReadOver(): void;
}

/** A connection for one deed, and the bytes of it. */
export interface MisbehavingLink {
  readonly link: DuplexLink;
  readonly forge: ForgeMessage;
}

/** How misdeeds are done over a transport. */
export type MisbehaveOver = (owner: ReadObserver, shared: WireShared, options: LinkOptions) => MisbehavingLink;

class ObservedConnection extends DuplexConnection {
  constructor(
    private readonly observer: ReadObserver,
    shared: WireShared,
    options: LinkOptions,
    framing: Framing,
  ) {
    super(observer, shared, socketAddress(options, shared), framing, paceOf(options));
  }

  override onSocketRead(...read: Parameters<DuplexConnection['onSocketRead']>): boolean {
    // One that begins to watch within a read has the next one to wait for.
    const { observesReads } = this.observer;
    const goesOn = super.onSocketRead(...read);
    if (observesReads) this.observer.onReadOver();
    return goesOn;
  }
}

export const misbehaveOverWebSocket: MisbehaveOver = (owner, shared, options) => ({
  link: new ObservedConnection(
    owner,
    shared,
    options,
    options.bare ? new LineFraming() : new WebSocketFraming(options.endpoint),
  ),
  forge: forgeFrame,
});

export const misbehaveOverTcp: MisbehaveOver = (owner, shared, options) => ({
  link: new ObservedConnection(owner, shared, options, new LineFraming()),
  forge: forgeLine,
});

/** Planning refuses aborts here: nobody watches. */
export const misbehaveOverStdio: MisbehaveOver = (owner, shared, options) => ({
  link: stdioLink(owner, shared, options),
  forge: forgeLine,
});

class ObservedSse extends SseLink {
  private observesReads = false;

  constructor(
    private readonly observer: ReadObserver,
    shared: WireShared,
    options: LinkOptions,
  ) {
    super(observer, shared, options);
  }

  // Not of answers to posts, which say nothing.
  override onSourceRead(nowMs: number): void {
    super.onSourceRead(nowMs);
    this.observesReads = this.observer.observesReads;
  }

  override onSourceReadOver(): void {
    super.onSourceReadOver();
    if (this.observesReads) this.observer.onReadOver();
  }
}

export const misbehaveOverSse: MisbehaveOver = (owner, shared, options) => {
  const { endpoint } = options;
  if (options.bare)
    return {
      link: new ObservedConnection(owner, shared, options, new LineFraming()),
      forge: () => halfOfStream(endpoint),
    };
  const link = new ObservedSse(owner, shared, options);
  return {
    link,
    forge: (misbehaviourKind, proper, oversizeBytes) => {
      const { requests, body } = forge(
        misbehaviourKind,
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
