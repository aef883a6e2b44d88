import type { DrawnRules } from '../mcp/expectation.js';
import { describe, isObject } from '../mcp/json-value.js';
import { judgeError, violation } from '../mcp/judge-message.js';
import { parseMessage, parseText, scanAnswer } from '../mcp/scan-answer.js';
import type { Problem } from '../measure/failure.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import type { ResponseHead } from './http/response-head.js';
import { bodyWords, type RefusalHead, serverWords } from './server-words.js';

/** The parts of a head that decide whether an answer is correct. */
export type AnswerHead = Pick<
  ResponseHead,
  'status' | 'mediaType' | 'contentType' | 'retryAfter' | 'location' | 'authenticate'
>;

/** The words of a refusal are in its first bytes. */
const MAX_WORDS_BYTES = 8192;

/** The facts besides its bytes on which the judgement of an HTTP answer depends. */
interface ExpectedAnswer {
  readonly id: number;
  readonly era: PinnedProtocol['era'];
  /** The request named a session. */
  readonly hasSession: boolean;
  /** See `scanAnswer`. */
  readonly turn: number;
  readonly rules?: DrawnRules | undefined;
}

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
    if (head.mediaType === 'json') {
      const problem = scanAnswer(bytes, start, end, expected.id, expected.turn, expected.rules);
      return problem === undefined || !expected.hasSession
        ? problem
        : asSessionLoss(problem, status, head, bytes.toString('utf8', start, end));
    }
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

/** The words of a refusal as the end of a sentence. */
export function inWords(answer: RefusalHead & { readonly body: string }): string {
  const words = serverWords(answer, answer.body);
  return words === '' ? '' : `: ${words}`;
}

function judgeRefusal(head: AnswerHead, bytes: Buffer, start: number, end: number, expected: ExpectedAnswer): Problem {
  const { status } = head;
  const error = head.mediaType === 'json' ? errorOf(bytes, start, end) : undefined;
  const body = bytes.toString('utf8', start, Math.min(end, start + MAX_WORDS_BYTES));
  const words = serverWords(head, body);
  const reason = words === '' ? '' : `: ${words}`;
  if (expected.hasSession && isSessionLoss(status, error, bodyWords(head, body)))
    return { category: 'session_lost', detail: `the server no longer knows the session (HTTP ${status})${reason}` };
  // The stateless era gives errors of the request a status of their own (404 for an unknown method), so the code says
  // more.
  if (expected.era === 'modern' && isRpcError(error) && !ABOUT_ACCESS.has(status) && status < 500)
    return judgeError(error);
  return { category: `http_${status}`, detail: `HTTP ${status}${reason}` };
}

/** These say that the client is not let in, whatever it asked for. */
const ABOUT_ACCESS: ReadonlySet<number> = new Set([401, 403, 407, 421, 429]);

function isRpcError(error: unknown): boolean {
  return isObject(error) && Number.isInteger(error.code);
}

function errorOf(bytes: Buffer, start: number, end: number): unknown {
  const parsed = parseMessage(bytes, start, end);
  return parsed.ok && isObject(parsed.value) ? parsed.value.error : undefined;
}

/**
 * How servers say that a session is gone without the standard's 404: with 400 (server-everything, rmcp), 401, 403, 410,
 * 422, or in an error of a 200. A refusal that asks for credentials may name a session too, but says neither of these.
 */
const SESSION_GONE = new RegExp(
  [
    // "session not found", "session ID has expired", "the session is closed"
    String.raw`\bsessions?\b.{0,60}\b(?:not (?:found|known|exist|valid|recogni[sz]ed|initiali[sz]ed|active|open)\b|` +
      "(?:doesn't|no longer) exist|no longer|unknown|expired|invalid|terminated|closed|ended|gone|missing|required|" +
      'deleted|removed|timed out|lost)',
    // "no valid session ID provided", "invalid session", "unknown mcp-session-id"
    String.raw`\b(?:no|not a|invalid|unknown|expired|missing|unrecogni[sz]ed|bad|stale|closed|terminated|without)` +
      String.raw`(?: \w+){0,2}? (?:mcp[- ])?session(?:[-_ ]?id)?\b`,
    // "Server not initialized", "No transport found"
    String.raw`\b(?:not (?:yet )?initiali[sz]ed|no transport found|transport not found|uninitiali[sz]ed)\b`,
  ].join('|'),
  'i',
);

/** Statuses by which a server may say, in words, that a session is gone. */
const TELLING_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 409, 422]);

function isSessionLoss(status: number, error: unknown, words: string): boolean {
  if (status === 404 || status === 410) return true;
  // The code that the official servers give for it.
  if (status === 400 && isObject(error) && error.code === -32000 && /session/i.test(words)) return true;
  return TELLING_STATUSES.has(status) && SESSION_GONE.test(words);
}

/** An error within a 200 that says that the session is gone is no error of the operation. */
export function asSessionLoss(problem: Problem, status: number, head: RefusalHead, body: string): Problem {
  if (!problem.category.startsWith('rpc_') && problem.category !== 'protocol_violation') return problem;
  const message = parseText(body);
  // A correct result may say anything.
  if (!message.ok || !isObject(message.value) || message.value.error === undefined) return problem;
  const words = bodyWords(head, body);
  return SESSION_GONE.test(words)
    ? { category: 'session_lost', detail: `the server no longer knows the session (HTTP ${status}): ${words}` }
    : problem;
}
