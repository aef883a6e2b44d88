import type { Endpoint } from '../protocol/messages.js';
import { DuplexConnection, socketAddress } from '../transport/duplex/duplex-connection.js';
import type { DuplexLink, DuplexOwner, LinkConfig } from '../transport/duplex/duplex-link.js';
import type { Framing } from '../transport/duplex/framing.js';
import { requestBytes } from '../transport/request-head.js';
import type { ProfileShared } from '../transport/shared.js';
import { paceOf } from '../transport/socket/pace.js';
import { SseLink, STREAM } from '../transport/sse/sse.js';
import { stdioLink } from '../transport/stdio/stdio.js';
import { LineFraming } from '../transport/tcp/tcp.js';
import { WebSocketFraming } from '../transport/websocket/websocket.js';
import { forgeFrame } from './forge-frame.js';
import { forgeLine } from './forge-line.js';
import { forgeRequest } from './forge-request.js';
import { type ForgedMessage, type ForgeMessage, sampleText } from './malformed-message.js';

interface LinkOptions extends LinkConfig {
  /** Only connects: the misbehaviour sends the bytes that open a session. */
  readonly bare: boolean;
}

/** A link's owner that can observe the reads of the server's answers. */
export interface ReadObserver extends DuplexOwner {
  readonly observesReads: boolean;
  /** A read is over, which was observed from its start. */
  onReadObserved(): void;
}

/** A link for one misbehaviour, and a factory for its bytes. */
export interface MisbehavingLink {
  readonly link: DuplexLink;
  readonly forge: ForgeMessage;
}

/** Makes the misbehaving link of a transport. */
export type MisbehaveOver = (owner: ReadObserver, shared: ProfileShared, options: LinkOptions) => MisbehavingLink;

class ObservedConnection extends DuplexConnection {
  constructor(
    private readonly observer: ReadObserver,
    shared: ProfileShared,
    options: LinkOptions,
    framing: Framing,
  ) {
    super(observer, shared, socketAddress(options, shared), framing, paceOf(options));
  }

  override onSocketRead(...read: Parameters<DuplexConnection['onSocketRead']>): boolean {
    // An observer that begins within a read waits for the next one.
    const { observesReads } = this.observer;
    const goesOn = super.onSocketRead(...read);
    if (observesReads) this.observer.onReadObserved();
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

/** Not observed: planning refuses aborts over stdio. */
export const misbehaveOverStdio: MisbehaveOver = (owner, shared, options) => ({
  link: stdioLink(owner, shared, options),
  forge: forgeLine,
});

class ObservedSse extends SseLink {
  private observesReads = false;

  constructor(
    private readonly observer: ReadObserver,
    shared: ProfileShared,
    options: LinkOptions,
  ) {
    super(observer, shared, options);
  }

  // Reads of the stream only: answers to POSTs are empty.
  override onSourceReadStart(nowMs: number): void {
    super.onSourceReadStart(nowMs);
    this.observesReads = this.observer.observesReads;
  }

  override onSourceReadEnd(): void {
    super.onSourceReadEnd();
    if (this.observesReads) this.observer.onReadObserved();
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
      const { requests, body } = forgeRequest(
        misbehaviourKind,
        { ...proper, endpoint: link.posts ?? endpoint, kind: { verb: 'POST' } },
        oversizeBytes,
      );
      return { pieces: requests, answers: requests.length, text: body };
    },
  };
};

/** Half of the request that opens the stream. */
function halfOfStream(endpoint: Endpoint): ForgedMessage {
  const request = requestBytes(endpoint, 'legacy', STREAM, '');
  const half = request.subarray(0, Math.ceil(request.length / 2));
  return { pieces: [half], answers: 0, text: sampleText(half) };
}
