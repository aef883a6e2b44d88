import { expect, test } from '@jest/globals';
import { scanMessage } from './scan-message.js';

function scan(text: string): { id: string; method: string } | undefined {
  const bytes = Buffer.from(`xx${text}yy`);
  const end = bytes.length - 2;
  const span = { idStart: 0, idEnd: 0, methodStart: 0, methodEnd: 0 };
  if (!scanMessage(bytes, 2, end, span)) return undefined;
  return {
    id: bytes.toString('utf8', span.idStart, span.idEnd),
    method: bytes.toString('utf8', span.methodStart, span.methodEnd),
  };
}

test.each([
  ['id first', '{"jsonrpc":"2.0","id":1000000000,"method":"ping"}', '1000000000', 'ping'],
  ['id last', '{"method":"tools/list","params":{},"jsonrpc":"2.0","id":7}', '7', 'tools/list'],
  ['an id that is a string', '{"id":"a\\"b","method":"ping"}', '"a\\"b"', 'ping'],
  ['white space everywhere', '{ "id" :\n 5 ,\t"method" : "ping" }', '5', 'ping'],
  [
    'an id and a method inside params',
    '{"params":{"id":9,"method":"x","list":[{"id":1}]},"id":3,"method":"tools/call"}',
    '3',
    'tools/call',
  ],
  [
    'member names inside strings',
    '{"params":{"text":"\\"id\\":8,\\"method\\":\\"y\\"}"},"id":4,"method":"tools/call"}',
    '4',
    'tools/call',
  ],
  ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}', '', 'notifications/initialized'],
  ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}', '1', ''],
  ['an empty object', '{}', '', ''],
])('%s', (_name, text, id, method) => {
  expect(scan(text)).toEqual({ id, method });
});

test.each([[''], ['[]'], ['nonsense'], ['{"id":1'], ['{"id" 1}']])('%j is no message', (text) => {
  expect(scan(text)).toBeUndefined();
});
