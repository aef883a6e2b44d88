import { describe, expect, test } from '@jest/globals';
import { parseMountSpec } from './mounts.js';

const base = { readOnly: false, noCopy: false, propagation: undefined, unknownOptions: [] };

describe('short mounts', () => {
  test.each([
    ['/data', { ...base, type: 'volume', source: undefined, target: '/data' }],
    ['a', { ...base, type: 'volume', source: undefined, target: 'a' }],
    ['v:/data', { ...base, type: 'volume', source: undefined, target: 'v:/data' }], // one letter and a colon is a drive
    ['vol:/data', { ...base, type: 'volume', source: 'vol', target: '/data' }],
    ['vol:/data:ro,nocopy', { ...base, type: 'volume', source: 'vol', target: '/data', readOnly: true, noCopy: true }],
    ['./x:/data:ro,rw', { ...base, type: 'bind', source: './x', target: '/data' }],
    ['~/x:/data:rslave', { ...base, type: 'bind', source: '~/x', target: '/data', propagation: 'rslave' }],
    ['/x:/data:z', { ...base, type: 'bind', source: '/x', target: '/data', unknownOptions: ['z'] }],
    ['C:\\x:D:\\y:ro', { ...base, type: 'bind', source: 'C:\\x', target: 'D:\\y', readOnly: true }],
    ['\\\\.\\pipe\\x:/data', { ...base, type: 'bind', source: '\\\\.\\pipe\\x', target: '/data' }],
  ])('%s', (spec, expected) => {
    expect(parseMountSpec(spec)).toEqual(expected);
  });

  test.each(['', ':/data', 'vol:', 'vol::ro', '/a:/b:ro:x'])('%j is refused', (spec) => {
    expect(parseMountSpec(spec).type).toBe('wrong');
  });
});
