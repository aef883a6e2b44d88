import { describe, expect, test } from '@jest/globals';
import { scanAnswer } from './scan-answer.js';

const ID = 1_000_000_007;

function category(body: string, turn = 0): string {
  const bytes = Buffer.from(`before${body}after`);
  return scanAnswer(bytes, 6, bytes.length - 5, ID, turn)?.category ?? 'correct';
}

describe('an answer is', () => {
  test.each<[string, string]>([
    ['correct', `{"jsonrpc":"2.0","id":${ID},"result":{}}`],
    ['correct', `{"result":{"content":[{"type":"text","text":"größe"}]},"jsonrpc":"2.0","id":${ID}}`],
    ['correct', ` {\n "jsonrpc" : "2.0",\t"id" :\r\n${ID} , "result" : { "isError" : false } } \n`],
    [
      'correct',
      `{"jsonrpc":"2.0","id":${ID},"result":{"content":[` +
        '{"type":"text","text":"\\"error\\": {\\"code\\": 1}, \\"isError\\": true"}]}}',
    ],
    ['correct', `{"jsonrpc":"2.0","id":${ID},"result":{"structuredContent":{"error":"x","isError":true}}}`],
    ['correct', `{"jsonrpc":"2.0","id":${ID},"result":{"resultType":"complete"}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{"content":[{"type":"text","text":"no"}],"isError":true}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{"isError"  :  true}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{"is\\u0045rror":true}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{"resultType":"input_required"}}`],
    ['rpc_-32601', `{"jsonrpc":"2.0","id":${ID},"error":{"code":-32601,"message":"Method not found"}}`],
    ['rpc_-32700', `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`],
    ['rpc_-32000', `{"jsonrpc":"2.0","error":{"code":-32000,"message":"no id at all"}}`],
    ['crossed', `{"jsonrpc":"2.0","id":${ID + 1},"result":{}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":7,"result":{}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":"${ID}","result":{}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":null,"result":{}}`],
    ['crossed', `{"jsonrpc":"2.0","id":${ID + 1},"error":{"code":1,"message":""}}`],
    ['protocol_violation', `{"id":${ID},"result":{}}`],
    ['protocol_violation', `{"jsonrpc":"1.0","id":${ID},"result":{}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":"text"}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":null}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":{},"error":{"code":1,"message":"both"}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"error":{"code":"x"}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"error":"no"}`],
    ['correct', `[{"jsonrpc":"2.0","id":${ID},"result":{}}]`],
    ['correct', `\ufeff{"jsonrpc":"2.0","id":${ID},"result":{}}`],
    ['protocol_violation', `[{"jsonrpc":"2.0","id":${ID},"result":{}},{"jsonrpc":"2.0","id":7,"result":{}}]`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":{}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":{}}}`],
    ['protocol_violation', `<html>busy</html>`],
    ['protocol_violation', ''],
  ])('%s: %s', (expected, body) => {
    expect(category(body)).toBe(expected);
  });
});

describe('a long answer, which is not always parsed, is', () => {
  const long = 'x'.repeat(100_000);
  const content = `"content":[{"type":"text","text":"${long}"}]`;
  test.each<[string, string]>([
    ['correct', `{"jsonrpc":"2.0","id":${ID},"result":{${content}}}`],
    ['correct', `{"result":{${content},"isError": false},"jsonrpc":"2.0","id":${ID}}`],
    [
      'correct',
      `{"result":{"content":[{"type":"text","text":"\\"isError\\":true \\"error\\" ${long}"}]},` +
        `"jsonrpc":"2.0","id":${ID}}`,
    ],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{${content},"isError":true}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{"isError":false,${content},"isError":true}}`],
    ['tool_error', `{"jsonrpc":"2.0","id":${ID},"result":{${content},"resultType":"input_required"}}`],
    ['rpc_5', `{"jsonrpc":"2.0","id":${ID},"error":{"code":5,"message":"${long}"}}`],
    ['crossed', `{"jsonrpc":"2.0","id":${ID + 1},"result":{${content}}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID}0,"result":{${content}}}`],
    ['protocol_violation', `{"jsonrpc":"2.0","id":${ID},"result":{${content}`],
    ['protocol_violation', long],
  ])('%s: %.70s...', (expected, body) => {
    expect(category(body, 0)).toBe(expected);
    expect(category(body, 1)).toBe(expected);
  });

  test('refused one time in sixteen when it is broken only in the middle', () => {
    const broken = `{"jsonrpc":"2.0","id":${ID},"result":{"a":${long}}}`;
    const verdicts = Array.from({ length: 32 }, (_, turn) => category(broken, turn));
    expect(verdicts.filter((verdict) => verdict === 'protocol_violation')).toHaveLength(2);
  });
});
