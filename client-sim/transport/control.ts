import { isObject } from '../mcp/json-value.js';
import { parseMessage, parseText } from '../mcp/scan-answer.js';
import type { Failure } from '../measure/failure.js';
import type { AnswerHead } from './judge-http.js';

/**
 * A request of the session itself (handshake, DELETE, answers to the server), not of the load: rare, so it may
 * allocate.
 */
export interface Control {
  /** Id of the JSON-RPC answer awaited; undefined: it is done when the HTTP answer ends. */
  readonly id: number | undefined;
  /** It fails with its connection: it must not be sent again on another one. */
  readonly once?: boolean;
  done(outcome: ControlOutcome): void;
}

export type ControlOutcome =
  | { readonly kind: 'answered'; readonly answer: ControlAnswer }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface ControlAnswer extends AnswerHead {
  /** '' when the header is absent. */
  readonly sessionId: string;
  /** Number of the replica that answered; 0: not known. */
  readonly replica: number;
  /** The JSON body; of an event stream the message with the awaited id, '' when it never came. */
  readonly body: string;
  /** All messages of an event stream, the awaited one included. */
  readonly messages: readonly string[];
}

/** Wraps a message in the answer that HTTP would have given it: the code that judges handshakes knows only those. */
export function asControlAnswer(body: string): ControlAnswer {
  return {
    status: 200,
    mediaType: 'json',
    contentType: '',
    sessionId: '',
    retryAfter: '',
    location: '',
    authenticate: '',
    replica: 0,
    body,
    messages: [],
  };
}

/** The outcome of a notification that could be sent. */
export const NOTIFICATION_SENT: ControlAnswer = { ...asControlAnswer(''), status: 202 };

/** The JSON-RPC message in the body of an answer; undefined: there is none. */
export function messageIn({ body }: Pick<ControlAnswer, 'body'>): Record<string, unknown> | undefined {
  const parsed = parseText(body);
  return parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
}

type ControlRead =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'request'; readonly request: Record<string, unknown> }
  /** A notification, or an answer to something else. */
  | { readonly kind: 'other' };

/**
 * Classifies a message for a caller that waits for one answer. Bytes that are no JSON-RPC message count as the answer:
 * nothing better will come.
 */
export function readControl(bytes: Buffer, start: number, end: number, id: number | undefined): ControlRead {
  const text = bytes.toString('utf8', start, end);
  const parsed = parseMessage(bytes, start, end);
  if (!parsed.ok || !isObject(parsed.value)) return { kind: 'answer', text };
  const message = parsed.value;
  const hasId = message.id !== undefined && message.id !== null;
  if (typeof message.method === 'string') return hasId ? { kind: 'request', request: message } : { kind: 'other' };
  return !hasId || message.id === id ? { kind: 'answer', text } : { kind: 'other' };
}
