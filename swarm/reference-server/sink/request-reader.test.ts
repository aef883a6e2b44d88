import { describe, expect, test } from '@jest/globals';
import { RequestReader } from './request-reader.js';

function post(body: string, headers = ''): string {
  return `POST /mcp HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const stream = [
  post('{"id":1000000000,"method":"ping"}'),
  post('{"id":1000000001,"method":"ping"}'),
  'GET /stats HTTP/1.1\r\nhost: x\r\n\r\n',
  post('{"id":2,"method":"tools/call","params":{"text":"ünïcode \\" \\\\"}}', 'MCP-Protocol-Version: 2026-07-28\r\n'),
  'DELETE /mcp HTTP/1.1\r\nhost: x\r\nmcp-session-id: s\r\n\r\n',
  post(''),
].join('');

const whole = read([Buffer.from(stream)]);

function read(chunks: readonly Buffer[]): string[] {
  const reader = new RequestReader();
  const seen: string[] = [];
  for (const chunk of chunks) {
    const problem = reader.read(chunk, (head, bytes, start, end) => {
      seen.push(`${head.verb} ${head.path} ${head.modern ? 'modern ' : ''}${bytes.toString('utf8', start, end)}`);
    });
    if (problem !== undefined) seen.push(problem);
  }
  return seen;
}

describe('requests on one connection', () => {
  test('are read one by one when they come in one piece', () => {
    expect(whole).toEqual([
      'POST /mcp {"id":1000000000,"method":"ping"}',
      'POST /mcp {"id":1000000001,"method":"ping"}',
      'GET /stats ',
      'POST /mcp modern {"id":2,"method":"tools/call","params":{"text":"ünïcode \\" \\\\"}}',
      'DELETE /mcp ',
      'POST /mcp ',
    ]);
  });

  test('are the same wherever the bytes are cut in two', () => {
    const bytes = Buffer.from(stream);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
  });

  test.each([1, 2, 3, 7, 64])('are the same in pieces of %d bytes', (size) => {
    const bytes = Buffer.from(stream);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    expect(read(pieces)).toEqual(whole);
  });

  test.each([
    ['something that is not HTTP', 'hello\r\n\r\n', 'bad-request'],
    ['a length that is no number', 'POST /mcp HTTP/1.1\r\ncontent-length: x\r\n\r\n', 'bad-request'],
    ['a body without a length', 'POST /mcp HTTP/1.1\r\nhost: x\r\n\r\n', 'length-required'],
    ['a chunked body', 'POST /mcp HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', 'length-required'],
  ])('%s is refused', (_name, bytes, problem) => {
    expect(read([Buffer.from(bytes)])).toEqual([problem]);
  });

  test('a head without an end is refused before it fills the memory', () => {
    const endless = Buffer.alloc(70_000, 'a');
    expect(read([endless])).toEqual(['bad-request']);
  });
});
