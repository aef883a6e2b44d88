import type { FixedBody, RequestTemplate } from '../mcp/compile-request.js';
import { countDigits, writeInteger } from '../mcp/digits.js';
import type { Draw } from '../mcp/draw.js';
import { type DrawnHeader, paramHeaderList } from '../mcp/param-headers.js';
import { CLIENT_INFO } from '../mcp/revisions.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';

/** Headers of one request but for its `content-length`, in the order they are sent. */
type HeaderList = readonly (readonly [name: string, value: string])[];

/** The client frames its own requests: a scenario that sets these would break the connection, not test the server. */
const FRAMING = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'accept-encoding',
]);

export interface RequestKind {
  readonly verb: 'POST' | 'GET' | 'DELETE';
  /** JSON-RPC method, for the stateless era's `Mcp-Method`; undefined for a message that is not a request. */
  readonly method?: string | undefined;
  /** For `Mcp-Name`, already encoded. */
  readonly name?: string | undefined;
  /** Headers made from arguments, already encoded. */
  readonly params?: HeaderList | undefined;
  /** Legacy: undefined before the session has one. */
  readonly sessionId?: string | undefined;
  /** Default: both types that an answer to Streamable HTTP may have. */
  readonly accept?: string | undefined;
  /** Undefined before the handshake has settled it. */
  readonly version?: string | undefined;
  /** Cookies that the server has set; joined to a cookie of the endpoint's own headers. */
  readonly cookie?: string | undefined;
}

/** The headers that every request of a session carries, as far as the handshake has settled them. */
export type SessionHeaders = Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;

/** One call of an operation, for cold paths. Must be made before the body: see `HeldClock`. */
export function kindOf(template: RequestTemplate, draw: Draw): RequestKind {
  const { method, nameHeader, paramHeaders } = template;
  return {
    verb: 'POST',
    method,
    name: nameHeader,
    params: paramHeaders === undefined ? undefined : paramHeaderList(paramHeaders, draw),
  };
}

/**
 * Headers of a Streamable HTTP request of either era. The endpoint's own (see `checkHeaders`) come last and replace
 * ours of the same name.
 */
export function requestHeaders(endpoint: Endpoint, era: PinnedProtocol['era'], kind: RequestKind): HeaderList {
  const headers = new Map<string, string>([
    ['host', new URL(endpoint.url).host],
    ['user-agent', `${CLIENT_INFO.name}/${CLIENT_INFO.version}`],
    ['accept', kind.accept ?? 'application/json, text/event-stream'],
    // Without it a server may choose a coding (RFC 9110, 12.5.3), and answers are read as they are.
    ['accept-encoding', 'identity'],
  ]);
  if (kind.verb === 'POST') headers.set('content-type', 'application/json');
  if (kind.version !== undefined) headers.set('mcp-protocol-version', kind.version);
  if (kind.sessionId !== undefined) headers.set('mcp-session-id', kind.sessionId);
  if (era === 'modern' && kind.method !== undefined) headers.set('mcp-method', kind.method);
  if (era === 'modern' && kind.name !== undefined) headers.set('mcp-name', kind.name);
  for (const [name, value] of kind.params ?? []) headers.set(name, value);
  for (const [name, value] of Object.entries(endpoint.headers)) headers.set(name.toLowerCase(), value);
  const own = headers.get('cookie');
  if (kind.cookie !== undefined) headers.set('cookie', own === undefined ? kind.cookie : `${own}; ${kind.cookie}`);
  return [...headers];
}

/** @throws TypeError for a header that cannot be sent: it belongs to the framing, or holds characters HTTP forbids */
export function checkHeaders(endpoint: Endpoint): void {
  for (const [name, value] of Object.entries(endpoint.headers)) {
    const lower = name.toLowerCase();
    if (FRAMING.has(lower))
      throw new TypeError(
        `header ${name} cannot be set: the client frames its own requests; remove it from the target's headers`,
      );
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower))
      throw new TypeError(`header name ${JSON.stringify(name)} holds characters that HTTP does not allow`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new TypeError(`the value of header ${name} holds characters that HTTP does not allow`);
  }
}

/** Request line and headers as text, without `content-length` and the blank line. */
export function headText(endpoint: Endpoint, verb: RequestKind['verb'], headers: HeaderList): string {
  const { pathname, search } = new URL(endpoint.url);
  return `${verb} ${pathname}${search} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
}

/** Begins with the end of the line before it, so that no value can contain it. */
const SESSION_ID = '\r\nmcp-session-id: ';
const CONTENT_LENGTH = 'content-length: ';
const BLANK_LINE = '\r\n\r\n';

/** A whole request as bytes, for cold paths. @param body a buffer is sent as it is */
export function requestBytes(
  endpoint: Endpoint,
  era: PinnedProtocol['era'],
  kind: RequestKind,
  body: string | Buffer,
): Buffer {
  const head = headText(endpoint, kind.verb, requestHeaders(endpoint, era, kind));
  const length = kind.verb === 'POST' ? `${CONTENT_LENGTH}${Buffer.byteLength(body)}\r\n` : '';
  return Buffer.concat([
    Buffer.from(`${head}${length}\r\n`, 'latin1'),
    typeof body === 'string' ? Buffer.from(body, 'utf8') : body,
  ]);
}

/**
 * The head of one operation, laid out once. It includes the length of the last body: most bodies of a template are
 * equally long, and then head and length are one copy. Sessions whose ids are equally long share a head, and each
 * writes its id into it before it sends: a copy for each session took 600 bytes a session and made nothing faster.
 */
export class RequestHead {
  /**
   * Includes the body where all bodies have one length: then a request is one copy plus what is filled in. Where
   * headers are drawn, it holds only what follows them.
   */
  private bytes: Buffer;
  private readonly fixed: FixedBody | undefined;
  private readonly headBytes: number;
  private bodyBytes: number;
  /** Offset of the session id; -1 where there is none, or the endpoint's own headers replace it. */
  private readonly sessionAt: number;
  private session: string | undefined;
  /** Undefined: no header is drawn, which costs a request one comparison. */
  private readonly lead: DrawnLead | undefined;

  constructor(
    endpoint: Endpoint,
    protocol: PinnedProtocol,
    sessionId: string | undefined,
    template: RequestTemplate,
    cookie?: string,
  ) {
    const kind: RequestKind = {
      verb: 'POST',
      method: template.method,
      name: template.nameHeader,
      params: template.paramHeaders?.fixed,
      sessionId,
      version: protocol.version,
      cookie,
    };
    const prefix = headText(endpoint, 'POST', requestHeaders(endpoint, protocol.era, kind));
    this.lead = drawnLead(endpoint, template, prefix);
    const line =
      sessionId === undefined || this.lead !== undefined ? -1 : prefix.indexOf(`${SESSION_ID}${sessionId}\r\n`);
    this.sessionAt = line < 0 ? -1 : line + SESSION_ID.length;
    this.session = sessionId;
    this.bodyBytes = template.maxBodyBytes;
    const head = Buffer.from(
      `${this.lead === undefined ? prefix : ''}${CONTENT_LENGTH}${this.bodyBytes}${BLANK_LINE}`,
      'latin1',
    );
    this.fixed = template.fixed;
    this.headBytes = head.length;
    this.bytes = this.fixed === undefined ? head : Buffer.concat([head, this.fixed.bytes]);
  }

  /** From now on the head is that of this session, whose id is as long as the one before. */
  bind(sessionId: string): void {
    if (sessionId === this.session) return;
    this.session = sessionId;
    if (this.sessionAt >= 0) this.bytes.write(sessionId, this.sessionAt, 'latin1');
  }

  /** Upper bound of a whole request; 16 bytes are for a longer `content-length`. */
  maxBytes(template: RequestTemplate): number {
    return (this.lead?.maxBytes ?? 0) + this.bytes.length + 16 + template.maxBodyBytes;
  }

  /** Writes head and body at `start` and returns where they end. */
  write(into: Buffer, start: number, template: RequestTemplate, id: number, draw: Draw): number {
    const { bytes, fixed, lead } = this;
    const at = lead === undefined ? start : lead.write(into, start, draw);
    into.set(bytes, at);
    if (fixed !== undefined) {
      fixed.fill(into, at + this.headBytes, id, draw);
      return at + bytes.length;
    }
    const bodyAt = at + bytes.length;
    const length = template.writeBody(into, bodyAt, id, draw);
    return length === this.bodyBytes ? bodyAt + length : this.correct(into, at, bodyAt, length);
  }

  /** Writes a length that differs from the last one, and moves the body when the number of digits changed. */
  private correct(into: Buffer, at: number, bodyAt: number, length: number): number {
    const digits = countDigits(length);
    const before = countDigits(this.bodyBytes);
    const digitsAt = bodyAt - BLANK_LINE.length - before;
    if (digits === before) {
      writeInteger(into, digitsAt, length);
      return bodyAt + length;
    }
    into.copyWithin(bodyAt + digits - before, bodyAt, bodyAt + length);
    this.bytes = Buffer.concat([
      this.bytes.subarray(0, digitsAt - at),
      Buffer.from(`${length}${BLANK_LINE}`, 'latin1'),
    ]);
    this.bodyBytes = length;
    into.set(this.bytes, at);
    return at + this.bytes.length + length;
  }
}

/** The part of a head before its length where headers are drawn. They come last, so that the rest is one copy. */
interface DrawnLead {
  readonly maxBytes: number;
  /** @returns where it ends */
  write(into: Buffer, at: number, draw: Draw): number;
}

function drawnLead(endpoint: Endpoint, template: RequestTemplate, prefix: string): DrawnLead | undefined {
  const own = new Set(Object.keys(endpoint.headers).map((name) => name.toLowerCase()));
  const drawn = (template.paramHeaders?.drawn ?? []).filter(({ name }) => !own.has(name));
  if (drawn.length === 0) return undefined;
  const pieces = drawn.map((header, index) => ({
    before: Buffer.from(`${index === 0 ? prefix : '\r\n'}${header.name}: `, 'latin1'),
    header,
  }));
  return {
    maxBytes: pieces.reduce((sum, { before, header }) => sum + before.length + header.maxBytes, 2),
    write(into, start, draw) {
      let at = start;
      for (let index = 0; index < pieces.length; index++) {
        const { before, header } = pieces[index] as { readonly before: Buffer; readonly header: DrawnHeader };
        into.set(before, at);
        at = header.write(into, at + before.length, draw);
      }
      into[at++] = 0x0d;
      into[at++] = 0x0a;
      return at;
    },
  };
}
