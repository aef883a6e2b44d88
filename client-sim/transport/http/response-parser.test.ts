import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ParserLimits, ResponseParser } from './response-parser.js';

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly sessionId: string;
  readonly body: string;
}

/** Feeds the pieces one after the other, through one shared buffer as a connection does, then the end of the input. */
function parse(
  pieces: readonly Buffer[],
  limits?: ParserLimits,
): { readonly answers: readonly Answer[]; readonly problem: string | undefined } {
  const parser = new ResponseParser(limits);
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)), '\n');
  const answers: Answer[] = [];
  let body: Buffer[] = [];
  const take = (event: string): boolean => {
    const { head, dataStart, dataEnd } = parser;
    if (event === 'body') body.push(Buffer.from(shared.subarray(dataStart, dataEnd)));
    if (event === 'end') {
      answers.push({
        status: head.status,
        contentType: head.contentType,
        sessionId: head.sessionId,
        body: Buffer.concat(body).toString(),
      });
      body = [];
    }
    return event !== 'broken' && event !== 'more';
  };
  for (const piece of pieces) {
    shared.fill('\r\n\r\n');
    piece.copy(shared);
    parser.at = 0;
    while (take(parser.next(shared, piece.length)));
    if (parser.problem !== '') return { answers, problem: parser.problem };
  }
  take(parser.endOfInput());
  return { answers, problem: parser.problem === '' ? undefined : parser.problem };
}

function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [0, ...[...positions].sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

const streams: Readonly<Record<string, string>> = {
  'a content-length body':
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMCP-Session-Id: abc\r\nContent-Length: 11\r\n\r\nhello world',
  'no reason phrase, odd spacing': 'HTTP/1.1 200\r\ncontent-length:3\r\nconnection:  keep-alive \r\n\r\nabc',
  'an empty body': 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n',
  'a status without body': 'HTTP/1.1 204 No Content\r\nx: y\r\n\r\n',
  'a chunked body':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n' +
    '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
  'chunk extensions and trailers':
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' +
    'A;name=value;q="x"\r\n0123456789\r\n01\r\n!\r\n0\r\nx-sum: 1\r\ny: z\r\n\r\n',
  'an informational answer first':
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  'UTF-8 in the body': 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ngröße €',
  'a body until the connection closes': 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall there is',
  'HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nold',
};
// The byte counts of UTF-8 bodies are those of the text above.
function bytesOf(text: string): Buffer {
  return Buffer.from(
    text.replace('content-length: 9\r\n\r\ngröße €', `content-length: ${Buffer.byteLength('größe €')}\r\n\r\ngröße €`),
  );
}

describe('an answer reads the same wherever it is cut in two:', () => {
  test.each(Object.entries(streams))('%s', (_name, text) => {
    const bytes = bytesOf(text);
    const whole = parse([bytes]);
    expect(whole.problem).toBeUndefined();
    expect(whole.answers).toHaveLength(1);
    for (let at = 1; at < bytes.length; at++) expect(parse(cutAt(bytes, [at]))).toEqual(whole);
    expect(parse([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });
});

test('consecutive answers on one connection are read in order, however they are cut', () => {
  const texts = [
    'a content-length body',
    'a chunked body',
    'a status without body',
    'chunk extensions and trailers',
    'an informational answer first',
    'an empty body',
  ];
  const bytes = Buffer.concat(texts.map((name) => bytesOf(streams[name] as string)));
  const whole = parse([bytes]);
  expect(whole.answers.map(({ body }) => body)).toEqual(['hello world', 'hello world', '', '0123456789!', 'ok', '']);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (positions) => {
      expect(parse(cutAt(bytes, positions))).toEqual(whole);
    }),
  );
});

test('node:http reads the same from the same bytes, cut in two at every byte', async () => {
  const bytesToSend: Buffer[][] = Object.values(streams).flatMap((text) => {
    const bytes = bytesOf(text);
    return Array.from({ length: bytes.length - 1 }, (_, index) => cutAt(bytes, [index + 1]));
  });
  let next: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = next;
    socket.setNoDelay(true).once('data', () => {
      socket.write(first, () => setImmediate(() => socket.end(second)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const pieces of bytesToSend) {
    next = pieces;
    const theirs = await nodeHttp(port);
    const { answers, problem } = parse(pieces);
    expect(problem).toBeUndefined();
    expect(answers).toEqual([theirs]);
  }
  await new Promise((resolve) => server.close(resolve));
}, 60_000);

function nodeHttp(port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({
          status: statusCode,
          contentType: headers['content-type'] ?? '',
          sessionId: String(headers['mcp-session-id'] ?? ''),
          body: Buffer.concat(parts).toString(),
        });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

test('any chunked body is read correctly, whatever its chunks and cuts', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(chunks, fc.array(fc.nat(400), { maxLength: 8 }), (parts, positions) => {
      const framed = parts.flatMap((part) => [
        Buffer.from(`${part.length.toString(16)}\r\n`),
        Buffer.from(part),
        Buffer.from('\r\n'),
      ]);
      const bytes = Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
        ...framed,
        Buffer.from('0\r\n\r\n'),
      ]);
      const { answers, problem } = parse(
        cutAt(
          bytes,
          positions.map((position) => position % bytes.length),
        ),
      );
      expect(problem).toBeUndefined();
      expect(answers[0]?.body).toBe(Buffer.concat(parts).toString());
    }),
  );
});

describe('bytes that are no answer are refused, whole or byte by byte:', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['HTTP/2 in clear', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a CR alone in the status line', 'HTTP/1.1 200 OK\r\rcontent-length: 1\r\n\r\na'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'a compressed body although none was accepted',
      'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\na',
    ],
    ['a folded header that matters', 'HTTP/1.1 200 OK\r\ncontent-length:\r\n 5\r\n\r\nhello'],
    ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk without its CRLF', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'],
    ['a protocol that was not requested', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n'],
    ['half a body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['a chunked body without its end', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['informational answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
  ])('%s', (_name, text) => {
    const bytes = Buffer.from(text);
    expect(parse([bytes]).problem).toBeDefined();
    expect(parse([...bytes].map((byte) => Buffer.from([byte]))).problem).toBeDefined();
  });
});

describe('memory is bounded:', () => {
  const limits: ParserLimits = { headBytes: 1000, bodyBytes: 1000 };
  test.each([
    ['a head', 'HTTP/1.1 200 OK\r\n', 'x: yyyyyyyyyyyyyyyyy\r\n'],
    ['an announced body', 'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n', ''],
    ['a chunked body', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '5\r\nhello\r\n'],
    ['a body until close', 'HTTP/1.1 200 OK\r\n\r\n', 'more and more'],
    ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n', 'x: yyyyyyyyyyyyyyyyy\r\n'],
    ['a chunk extension', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;', 'eeeeeeeeeee'],
  ])('%s', (_name, start, more) => {
    const pieces = [start, ...Array.from({ length: 400 }, () => more)].map((text) => Buffer.from(text));
    expect(parse(pieces, limits).problem).toBeDefined();
  });
});

test('any bytes lead to an answer, a problem or a wait for more, never to an exception', () => {
  const alphabet = fc.constantFrom(
    'HTTP/1.1 ',
    '200',
    ' OK',
    '\r\n',
    '\r',
    '\n',
    'content-length: 3',
    'transfer-encoding: chunked',
    ':',
    ' ',
    '3',
    'abc',
    '\0',
    'ÿ',
  );
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 30 }), (words) => {
      const bytes = Buffer.from(words.join(''), 'latin1');
      const whole = parse([bytes]);
      const cut = parse([...bytes].map((byte) => Buffer.from([byte])));
      expect(cut.answers).toEqual(whole.answers);
      expect(cut.problem === undefined).toBe(whole.problem === undefined);
    }),
    { numRuns: 2000 },
  );
});
