import type { Endpoint } from '../../protocol/messages.js';
import type { Control, ControlAnswer } from '../control.js';
import { type RequestKind, requestBytes, type SessionHeaders } from '../request-head.js';
import { answerServerRequest, cancelledMessage } from '../session-messages.js';
import type { ProfileShared } from '../shared.js';
import type { Connection } from './connection.js';
import type { ConnectionSet } from './connection-set.js';

interface ControlSenderOwner {
  readonly era: 'legacy' | 'modern';
  sessionHeaders(): SessionHeaders;
  /** A request of the session was answered by this replica. @param unknown it does not know the session */
  onControlAnswer(replica: number, unknown: boolean): void;
}

/**
 * Sends the messages of a session that are not load: handshake, subscriptions, answers to the server's own requests,
 * cancellations, DELETE.
 */
export class ControlSender {
  constructor(
    private readonly session: ControlSenderOwner,
    private readonly connections: ConnectionSet,
    private readonly endpoint: Endpoint,
    private readonly shared: ProfileShared,
  ) {}

  /** Sends one request on this connection at once. */
  sendOn(connection: Connection, kind: RequestKind, body: string, control: Control): void {
    const { session, shared } = this;
    if (kind.verb === 'POST') shared.counters.messagesSent++;
    connection.sendControl(
      requestBytes(this.endpoint, session.era, { ...kind, cookie: session.sessionHeaders().cookie }, body),
      {
        id: control.id,
        done: (outcome) => {
          if (outcome.kind === 'answered') this.reportReplica(outcome.answer, kind.sessionId !== undefined);
          control.done(outcome);
        },
      },
    );
    connection.flush();
  }

  /** Sends a request wherever there is room: most clients need no connection for it beside those of their load. */
  send(kind: Pick<RequestKind, 'verb'>, body: string, control: Control): void {
    const { connections, session } = this;
    this.sendOn(connections.idle ?? connections.side, { ...kind, ...session.sessionHeaders() }, body, control);
  }

  answer(request: Record<string, unknown>): void {
    if (this.sendUnanswered(answerServerRequest(request))) this.shared.counters.streams.serverRequests++;
  }

  /** Tells the server that it may stop working on this request. */
  cancel(id: number): void {
    if (this.sendUnanswered(cancelledMessage(id))) this.shared.counters.streams.cancelled++;
  }

  /** Sends a message that has no answer. @returns false: not sent, because the server does not keep up with them */
  private sendUnanswered(message: string): boolean {
    const { side } = this.connections;
    if (side.room === 0) return false;
    this.sendOn(side, { verb: 'POST', ...this.session.sessionHeaders() }, message, {
      id: undefined,
      done: () => undefined,
    });
    return true;
  }

  /** Only for requests within a session, and for the answer that opened it. */
  private reportReplica({ replica, sessionId, status }: ControlAnswer, within: boolean): void {
    if (replica > 0 && (within || sessionId !== '')) this.session.onControlAnswer(replica, within && status === 404);
  }
}
