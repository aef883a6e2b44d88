import { isObject } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { ControlAnswer } from '../http/control.js';

/** A message as the answer that HTTP would have wrapped it in: what judges handshakes knows only those. */
export function asAnswer(body: string): ControlAnswer {
  return {
    status: 200,
    mediaType: 'json',
    contentType: '',
    sessionId: '',
    retryAfter: '',
    location: '',
    replica: 0,
    body,
    messages: [],
  };
}

/** What became of a notification that could be sent. */
export const NOTED: ControlAnswer = { ...asAnswer(''), status: 202 };

export type ControlRead =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'request'; readonly request: Record<string, unknown> }
  /** A notification, or an answer to something else. */
  | { readonly kind: 'other' };

/**
 * What a message is to somebody who waits for one answer. What is no JSON-RPC message at all counts as the answer:
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
