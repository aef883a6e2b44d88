import { describe, expect, test } from '@jest/globals';
import { float32, parseCpus, parseDuration, parseSize, printedFloat } from './numbers.js';
import { shellWords } from './text.js';

describe('durations, in nanoseconds', () => {
  test.each([
    ['0', 0],
    ['10s', 10e9],
    ['1h2m3.5s', 3723.5e9],
    ['1.5ms', 1.5e6],
    ['100us', 1e5],
    ['100\u00b5s', 1e5],
    ['-1s', -1e9],
    ['+2ns', 2],
    ['.5s', 5e8],
    ['1.s', 1e9],
    ['', undefined],
    ['10', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['1s ', undefined],
    ['9999999h', undefined],
  ])('%s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});

describe('sizes, in bytes', () => {
  test.each([
    ['1024', 1024],
    ['512m', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['64 KiB', 65_536],
    ['1kb', 1024],
    ['7B', 7],
    ['1T', 2 ** 40],
    ['0.7', 0],
    ['1.0001k', 1024],
    ['-0', -0],
    ['', undefined],
    ['m', undefined],
    ['1mm', undefined],
    ['1kbb', undefined],
    ['-1', undefined],
    ['1x', undefined],
    ['1  k', undefined],
    ['1bb', undefined],
  ])('%s', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });
});

describe('processors, in billionths', () => {
  test.each([
    ['1', 1e9],
    ['0.5', 5e8],
    ['.25', 2.5e8],
    ['1/4', 2.5e8],
    ['5e-1', 5e8],
    ['1e1', 1e10],
    ['0.000000001', 1],
    ['-1', -1e9],
    ['0.0000000001', undefined],
    ['1/3', undefined],
    ['1/0', undefined],
    ['', undefined],
    ['.', undefined],
    ['half', undefined],
    ['1 ', undefined],
  ])('%s', (text, expected) => {
    expect(parseCpus(text)).toBe(expected);
  });
});

describe('words of a command line', () => {
  test.each([
    ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
    [`sh -c 'x "y" \\z' "a 'b' \\"c\\""`, ['sh', '-c', 'x "y" \\z', `a 'b' "c"`]],
    ['a\\ b c#d # gone\ne', ['a b', 'c#d', 'e']],
    [`a""b '' ""`, ['ab', '', '']],
    ['$HOME *', ['$HOME', '*']],
    ['', []],
  ])('%j', (line, words) => {
    expect(shellWords(line)).toEqual({ kind: 'words', words });
  });
  test.each([['a "b'], ["a 'b"], ['a \\']])('%j is refused', (line) => {
    expect(shellWords(line).kind).toBe('wrong');
  });
});

test.each([
  [100_000, '100000'],
  [1e6, '1e+06'],
  [1_234_567, '1.234567e+06'],
  [0.0001, '0.0001'],
  [0.000012, '1.2e-05'],
  [-0, '-0'],
  [0.1, '0.1'],
  [1e21, '1e+21'],
])('the number %d is printed %s', (value, expected) => {
  expect(printedFloat(value)).toBe(expected);
});

test('a fraction goes through 32 bits', () => {
  expect([0.3, 0.123456789, 1, 0].map(float32)).toEqual([0.3, 0.12345679, 1, 0]);
});
