import type { Problem } from '../../mcp/judge-message.js';
import type { Failure } from '../../measure/failure.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { AnswerReader } from './answer-reader.js';
import type { BrokenCall } from './broken-call.js';
import type { Connection } from './connection.js';

/** What a connection tells the session it belongs to. */
export interface ConnectionOwner {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  readonly memory: EndpointMemory;
  /** HTTP answers only say that a message was taken (202); what the server has to say comes by another way. */
  readonly answersElsewhere?: boolean;
  onUp(connection: Connection): void;
  /**
   * It could not connect, or was lost; its tickets have been answered. Undefined: the server closed it while nothing
   * was in flight.
   */
  onDown(connection: Connection, failure: Failure | undefined): void;
  /** @param replica number of the one that answered; 0: not known, or there was no answer */
  onTicket(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void;
  /**
   * @returns whether the owner goes on waiting for the answer by another way; else, or without this method, the call
   * has failed
   */
  onBroken?(call: BrokenCall): boolean;
  onSetCookie(setCookie: string): void;
  onRoom(): void;
  onServerRequest(request: Record<string, unknown>): void;
  /** Between these two, all answers of one read are given out. */
  onReadStart(nowMs: number): void;
  onReadOver(): void;
  /** Makes a failure of a problem with the oldest request in the ring. */
  describe(problem: Problem, reader: AnswerReader): Failure;
}
