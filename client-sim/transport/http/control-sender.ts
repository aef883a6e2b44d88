import type { Endpoint } from '../../protocol/messages.js';
import type { Control, ControlAnswer } from '../control.js';
import { type RequestKind, requestBytes } from '../request-head.js';
import { answerServerRequest, cancelledMessage } from '../session-messages.js';
import type { WireShared } from '../shared.js';
import type { Connection } from './connection.js';

/** Messages that may wait for their HTTP answer at once. */
const SIDE_DEPTH = 64;

export interface ControlSenderOwner {
  readonly era: 'legacy' | 'modern';
  sessionHeaders(): Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;
  newConnection(depth: number): Connection;
  /** A connection of the load that is up and has nothing to do. */
  idleConnection(): Connection | undefined;
  /** A request of the session was answered by this replica. @param unknown it does not know the session */
  onHeard(replica: number, unknown: boolean): void;
}

/**
 * What a session says beside its load: handshake, subscriptions, answers to the server's own requests, cancellations,
 * goodbye.
 */
export class ControlSender {
  /** For what has no answer: behind an open stream of a connection of the load it might wait for ever. */
  side: Connection | undefined;

  constructor(
    private readonly session: ControlSenderOwner,
    private readonly endpoint: Endpoint,
    private readonly shared: WireShared,
  ) {}

  /** One request on this connection, sent at once. */
  control(connection: Connection, kind: RequestKind, body: string, control: Control): void {
    const { session, shared } = this;
    if (kind.verb === 'POST') shared.counters.messagesSent++;
    connection.sendControl(
      requestBytes(this.endpoint, session.era, { ...kind, cookie: session.sessionHeaders().cookie }, body),
      {
        id: control.id,
        done: (outcome) => {
          if (outcome.kind === 'answered') this.heardFrom(outcome.answer, kind.sessionId !== undefined);
          control.done(outcome);
        },
      },
    );
    connection.flush();
  }

  /** A request of the session wherever there is room: most clients need no connection but that of their load for it. */
  ask(kind: Pick<RequestKind, 'verb'>, body: string, control: Control): void {
    const connection = this.session.idleConnection() ?? (this.side ??= this.session.newConnection(SIDE_DEPTH));
    this.control(connection, { ...kind, ...this.session.sessionHeaders() }, body, control);
  }

  answer(request: Record<string, unknown>): void {
    if (this.tell(answerServerRequest(request))) this.shared.counters.streams.serverRequests++;
  }

  /** The server may stop working on this request. */
  cancel(id: number): void {
    if (this.tell(cancelledMessage(id))) this.shared.counters.streams.cancelled++;
  }

  /** Says something that has no answer. @returns false: the server takes messages slower than it causes them */
  private tell(message: string): boolean {
    this.side ??= this.session.newConnection(SIDE_DEPTH);
    if (this.side.room === 0) return false;
    this.control(this.side, { verb: 'POST', ...this.session.sessionHeaders() }, message, {
      id: undefined,
      done: () => undefined,
    });
    return true;
  }

  /** Only what belongs to a session: asked within it, or the answer that opened it. */
  private heardFrom({ replica, sessionId, status }: ControlAnswer, within: boolean): void {
    if (replica > 0 && (within || sessionId !== '')) this.session.onHeard(replica, within && status === 404);
  }
}
