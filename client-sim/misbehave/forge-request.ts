import type { MisbehaviourKind } from '../load/draw-misbehaviour.js';
import type { Endpoint } from '../protocol/messages.js';
import { headText, type RequestKind, requestBytes, requestHeaders } from '../transport/request-head.js';
import { malformMessage, NO_SUCH_METHOD, type ProperMessage, sampleText } from './malformed-message.js';

/** A proper HTTP request, from which a malformed one is made. */
export interface ProperRequest extends ProperMessage {
  readonly endpoint: Endpoint;
  readonly kind: RequestKind;
}

export interface ForgedRequests {
  /** In the order they are sent, all at once on one connection; each gets an answer of its own. */
  readonly requests: readonly Buffer[];
  /** The body that the sample in the report shows. */
  readonly body: string;
}

/** The bytes of one misbehaviour over HTTP. */
export function forgeRequest(
  misbehaviourKind: MisbehaviourKind,
  proper: ProperRequest,
  oversizeBytes: number,
): ForgedRequests {
  const { endpoint, era, kind, body } = proper;
  const whole = (bytes: Buffer, of: RequestKind = kind): ForgedRequests => ({
    requests: [requestBytes(endpoint, era, of, bytes)],
    body: sampleText(bytes),
  });
  const malformed = malformMessage(misbehaviourKind, proper, oversizeBytes);
  if (malformed !== undefined) {
    // In the stateless era the headers name the method too.
    const unknown = { ...kind, method: NO_SUCH_METHOD, name: undefined, params: undefined };
    return whole(malformed, misbehaviourKind === 'malformed/unknown-method' ? unknown : kind);
  }
  switch (misbehaviourKind) {
    case 'abort/after-request':
    case 'abort/mid-answer':
      return whole(Buffer.from(body, 'utf8'));
    case 'abort/mid-request': {
      const request = requestBytes(endpoint, era, kind, body);
      const rest = Math.ceil(Buffer.byteLength(body) / 2);
      return { requests: [request.subarray(0, -rest)], body: body.slice(0, -rest) };
    }
    case 'malformed/duplicate-id': {
      const request = requestBytes(endpoint, era, kind, body);
      return { requests: [request, request], body };
    }
    case 'malformed/wrong-framing': {
      // A chunk must begin with its size in hexadecimal digits (RFC 9112, 7.1).
      const start = headText(endpoint, 'POST', requestHeaders(endpoint, era, kind));
      const head = `${start}transfer-encoding: chunked\r\n\r\n`;
      const text = `zz\r\n${body}\r\n0\r\n\r\n`;
      return { requests: [Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(text, 'utf8')])], body: text };
    }
    default:
      throw new RangeError(`${misbehaviourKind} is impossible for an HTTP request; plans that ask for it are refused`);
  }
}
