import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import { headText, requestBytes, requestHeaders, type RequestKind } from '../transport/request-head.js';
import type { Deed } from './deed.js';

/** A proper request, before it is spoilt. */
export interface Proper {
  readonly endpoint: Endpoint;
  readonly era: PinnedProtocol['era'];
  readonly kind: RequestKind;
  readonly id: number;
  readonly body: string;
}

export interface Forged {
  /** In the order they are sent, all at once on one connection; each has an answer of its own. */
  readonly requests: readonly Buffer[];
  /** JSON-RPC id the answers should carry. */
  readonly id: number;
  /** What the sample in the report shows of it. */
  readonly body: string;
}

const NO_SUCH_METHOD = 'swarmbench/no-such-method';

/** The bytes of one deed. */
export function forge(deed: Deed, proper: Proper, oversizeBytes: number): Forged {
  const { endpoint, era, kind, id, body } = proper;
  const whole = (text: string, of: RequestKind = kind): Forged => ({ requests: [requestBytes(endpoint, era, of, text)], id, body: text });
  switch (deed) {
    case 'abort/after-request':
    case 'abort/mid-answer':
      return whole(body);
    case 'malformed/broken-json':
      return whole(body.slice(0, Math.ceil(body.length / 2)));
    case 'malformed/unknown-method': {
      const text = JSON.stringify({ jsonrpc: '2.0', id, method: NO_SUCH_METHOD, params: era === 'modern' ? metaOf(body) : {} });
      return whole(text, { ...kind, method: NO_SUCH_METHOD, name: undefined });
    }
    case 'malformed/duplicate-id': {
      const request = requestBytes(endpoint, era, kind, body);
      return { requests: [request, request], id, body };
    }
    case 'malformed/oversize':
      return whole(oversize(body, oversizeBytes));
    case 'malformed/wrong-framing': {
      // A chunk must begin with its size in hexadecimal digits (RFC 9112, 7.1).
      const head = `${headText(endpoint, 'POST', requestHeaders(endpoint, era, kind))}transfer-encoding: chunked\r\n\r\n`;
      const text = `zz\r\n${body}\r\n0\r\n\r\n`;
      return { requests: [Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(text, 'utf8')])], id, body: text };
    }
  }
}

/** The stateless era wants its envelope with every request, also with one it does not know. */
function metaOf(body: string): Record<string, unknown> {
  const { params } = JSON.parse(body) as { readonly params?: { readonly _meta?: unknown } };
  return { _meta: params?._meta };
}

/** White space where JSON allows any amount of it: nothing is wrong with the message but its length. */
function oversize(body: string, bytes: number): string {
  return body.slice(0, -1) + ' '.repeat(Math.max(0, bytes - Buffer.byteLength(body))) + body.slice(-1);
}
