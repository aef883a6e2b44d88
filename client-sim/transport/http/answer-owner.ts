import type { Problem } from '../../mcp/judge-message.js';
import type { WireCounters } from '../channel.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { AnswerReader } from './answer-reader.js';

/** What a reader of answers knows of the connection it reads for, and tells it. */
export interface AnswerOwner {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  /** HTTP answers only say that a message was taken. */
  readonly answersElsewhere: boolean;
  readonly counters: WireCounters;
  readonly memory: EndpointMemory;
  /**
   * The answer to the oldest request of the ring is known; the owner takes it out, or, when the answer is not `over`
   * (its event stream stays open), marks it delivered.
   */
  onAnswer(reader: AnswerReader, nowMs: number, problem: Problem | undefined, over: boolean): void;
  /** The rest of a stream whose answer had been given is over. */
  onStreamOver(): void;
  /** The head of an answer sets cookies; see `Head.setCookie`. */
  onSetCookie(setCookie: string): void;
  /** The server asks us something on a stream. */
  onServerRequest(request: Record<string, unknown>): void;
}

/** What the connection has to do after a read. */
export type ReadResult =
  | 'open'
  /** The server announced that this answer was the last one. */
  | 'last'
  /** What came is not an answer; `reader.problem` says why. */
  | 'broken';
