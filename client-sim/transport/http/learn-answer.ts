import { learnPattern } from '../../mcp/answer-pattern.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { Head } from './head.js';
import type { TicketRing } from './ticket-ring.js';

/** Where an answer that was found correct lies in the read buffer, and the JSON-RPC message within it. */
export interface LearntAnswer {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly messageStart: number;
  readonly messageEnd: number;
  /** Number of the one that gave it. */
  readonly replica: number;
}

/** The message alone, given to the oldest request of the ring. */
export function learnMessage(
  { messages, templates }: EndpointMemory,
  ring: TicketRing,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const { template, id } = ring;
  // A pattern vouches for the structure of an answer, not for what its texts say.
  if (templates[template]?.expectation !== undefined || !messages.wantsToLearn(template)) return;
  messages.learnt(template, learnPattern(bytes, start, end, start, end, id, messages.get(template)));
}

/** The answer with its head: only one that says 200 and nothing else a later one might not. */
export function learnAnswer(
  { answers, templates }: EndpointMemory,
  { template, id }: TicketRing,
  head: Head,
  answer: LearntAnswer,
): void {
  if (head.status !== 200 || !head.keepAlive || head.retryAfter !== '' || head.setCookie !== '') return;
  const { bytes, start, end, messageStart, messageEnd, replica } = answer;
  const known = answers.of(replica);
  if (templates[template]?.expectation !== undefined || !known.wantsToLearn(template)) return;
  known.learnt(template, learnPattern(bytes, start, end, messageStart, messageEnd, id, known.get(template)));
}

/**
 * An answer that only says that a message was taken. Kept until the server's clock shows another second: its `date` is
 * part of it.
 */
export function learnAccepted(memory: EndpointMemory, head: Head, bytes: Buffer, start: number, end: number): void {
  if (head.keepAlive && head.retryAfter === '') memory.accepted = Buffer.from(bytes.subarray(start, end));
}
