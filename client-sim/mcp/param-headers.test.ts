import { expect, test } from '@jest/globals';
import { encodeHeaderValue } from './param-headers.js';

test.each([
  ['echo', 'echo'],
  ['bench://static/1k', 'bench://static/1k'],
  ['two words', 'two words'],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['größe', `=?base64?${Buffer.from('größe').toString('base64')}?=`],
  ['line\nbreak', `=?base64?${Buffer.from('line\nbreak').toString('base64')}?=`],
  ['=?base64?eA==?=', `=?base64?${Buffer.from('=?base64?eA==?=').toString('base64')}?=`],
  ['', '=?base64??='],
])('header value %j is sent as %s', (value, header) => {
  expect(encodeHeaderValue(value)).toBe(header);
});
