import type { Expectation } from '../mcp/expectation.js';
import { describe, isObject } from '../mcp/json-value.js';
import { judgeError, violation } from '../mcp/judge-message.js';
import { parseMessage, scanAnswer } from '../mcp/scan-answer.js';
import type { Problem } from '../measure/failure.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import type { ResponseHead } from './http/response-head.js';

/** The parts of a head that decide whether an answer is correct. */
export type AnswerHead = Pick<ResponseHead, 'status' | 'mediaType' | 'contentType' | 'retryAfter' | 'location'>;

/** The facts besides its bytes on which the judgement of an HTTP answer depends. */
interface ExpectedAnswer {
  readonly id: number;
  readonly era: PinnedProtocol['era'];
  /** The request named a session. */
  readonly hasSession: boolean;
  /** See `scanAnswer`. */
  readonly turn: number;
  readonly expectation?: Expectation | undefined;
}

/** How servers describe an unknown session without the standard's 404 (server-everything answers 400). */
const SESSION_LOST_MESSAGE = /session|not initialized/i;

/**
 * Judges a whole HTTP answer to a request, event streams excepted (their messages are judged one by one).
 * @returns undefined for a correct answer
 */
export function judgeHttp(
  head: AnswerHead,
  bytes: Buffer,
  start: number,
  end: number,
  expected: ExpectedAnswer,
): Problem | undefined {
  const { status } = head;
  if (status === 202 || status === 204)
    return violation(`HTTP ${status} carries no answer, but the request asked for one`);
  if (status >= 200 && status < 300) {
    if (head.mediaType === 'json')
      return scanAnswer(bytes, start, end, expected.id, expected.turn, expected.expectation);
    const type = head.contentType === '' ? '(none)' : describe(head.contentType);
    return violation(`an answer of type ${type}, neither application/json nor text/event-stream`);
  }
  if (status < 400)
    return {
      category: `http_${status}`,
      detail: `HTTP ${status} redirects to ${describe(head.location)}; redirects are not followed`,
    };
  return judgeRefusal(head, bytes, start, end, expected);
}

function judgeRefusal(head: AnswerHead, bytes: Buffer, start: number, end: number, expected: ExpectedAnswer): Problem {
  const { status } = head;
  const error = head.mediaType === 'json' ? errorOf(bytes, start, end) : undefined;
  const reason = error !== undefined && isObject(error) ? `: ${describe(error.message)}` : '';
  if (expected.hasSession && isSessionLoss(status, error))
    return { category: 'session_lost', detail: `the server no longer knows the session (HTTP ${status})${reason}` };
  // The stateless era gives errors of the request a status of their own (404 for an unknown method), so the code says
  // more.
  if (expected.era === 'modern' && error !== undefined && status < 500) return judgeError(error);
  return { category: `http_${status}`, detail: `HTTP ${status}${reason}` };
}

function errorOf(bytes: Buffer, start: number, end: number): unknown {
  const parsed = parseMessage(bytes, start, end);
  return parsed.ok && isObject(parsed.value) ? parsed.value.error : undefined;
}

function isSessionLoss(status: number, error: unknown): boolean {
  if (status === 404) return true;
  return status === 400 && isObject(error) && error.code === -32000 && SESSION_LOST_MESSAGE.test(String(error.message));
}
