import { resultOf } from './results.js';

/** An answer in bytes, complete except for the id. */
export interface AnswerTemplate {
  readonly bytes: Buffer;
  readonly idAt: number;
}

/** How a message is framed: as the JSON body or the event stream of HTTP, as a WebSocket frame, as a line. */
type AnswerFormat = 'json' | 'sse' | 'websocket' | 'line';

/**
 * Whole answers by (method, era, length of the id). The length of the id decides content-length, chunk size or frame
 * head, so an answer is one copy and then the digits of the id.
 */
export class Answers {
  private readonly templates = new Map<string, AnswerTemplate[]>();

  constructor(private readonly format: AnswerFormat) {}

  /** @param method a string that the caller keeps: an array is looked up by it, then indexed by the length of the id */
  template(method: string, modern: boolean, idLength: number): AnswerTemplate {
    const key = modern ? `${method} modern` : method;
    let byLength = this.templates.get(key);
    if (byLength === undefined) this.templates.set(key, (byLength = []));
    return (byLength[idLength] ??= this.build(resultOf(method, modern), idLength));
  }

  /** @param headers of HTTP: whole lines, each ending in CR LF */
  build(result: string, idLength: number, headers = ''): AnswerTemplate {
    const before = '{"jsonrpc":"2.0","id":';
    const message = `${before}${'0'.repeat(idLength)},"result":${result}}`;
    const [head, tail] = FRAMES[this.format](message, headers);
    return { bytes: Buffer.concat([head, Buffer.from(message), tail]), idAt: head.length + before.length };
  }
}

type Frame = (message: string, headers: string) => [head: Buffer, tail: Buffer];

const FRAMES = {
  json: jsonFrame,
  sse: sseFrame,
  websocket: (message) => [textHead(Buffer.byteLength(message)), Buffer.alloc(0)],
  line: () => [Buffer.alloc(0), Buffer.from('\n')],
} as const satisfies Record<AnswerFormat, Frame>;

function jsonFrame(message: string, headers: string): [Buffer, Buffer] {
  const head =
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${headers}` +
    `content-length: ${Buffer.byteLength(message)}\r\n\r\n`;
  return [Buffer.from(head), Buffer.alloc(0)];
}

function sseFrame(message: string, headers: string): [Buffer, Buffer] {
  const before = 'event: message\ndata: ';
  const after = '\n\n';
  const size = (before.length + Buffer.byteLength(message) + after.length).toString(16);
  const head =
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n${headers}` +
    `transfer-encoding: chunked\r\n\r\n${size}\r\n${before}`;
  return [Buffer.from(head), Buffer.from(`${after}\r\n0\r\n\r\n`)];
}

/** Head of an unmasked text frame (RFC 6455, 5.2) below 64 KiB; all answers of the sink are. */
function textHead(bytes: number): Buffer {
  return bytes < 126 ? Buffer.from([0x81, bytes]) : Buffer.from([0x81, 126, bytes >> 8, bytes & 255]);
}

function empty(status: string, headers = ''): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\n${headers}content-length: 0\r\n\r\n`);
}

/** Answers without an id. */
export const fixed = {
  accepted: empty('202 Accepted'),
  deleted: empty('200 OK'),
  notAllowed: empty('405 Method Not Allowed', 'allow: POST, DELETE\r\n'),
  lengthRequired: empty('411 Length Required', 'connection: close\r\n'),
  badRequest: empty('400 Bad Request', 'connection: close\r\n'),
} as const;

export function plainAnswer(body: string, type: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
