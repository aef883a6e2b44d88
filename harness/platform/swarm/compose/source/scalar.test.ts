import { describe, expect, test } from '@jest/globals';
import { resolvePlain } from './scalar.js';

function text(value: string) {
  return { kind: 'text', text: value };
}
function integer(value: bigint) {
  return { kind: 'integer', value };
}
function float(value: number) {
  return { kind: 'float', value };
}
function time(value: string) {
  return { kind: 'time', text: value };
}

describe('an unquoted scalar means what it means to the CLI', () => {
  test.each([
    ['yes', text('yes')],
    ['True', { kind: 'flag', value: true }],
    ['tRUE', text('tRUE')],
    ['off', text('off')],
    ['', { kind: 'null' }],
    ['~', { kind: 'null' }],
    ['NULL', { kind: 'null' }],
    ['017', integer(15n)],
    ['0o17', integer(15n)],
    ['08', float(8)],
    ['0x1F', integer(31n)],
    ['-0b101', integer(-5n)],
    ['1_000', integer(1000n)],
    ['+12', integer(12n)],
    ['18446744073709551615', integer(18446744073709551615n)],
    ['18446744073709551616', float(2 ** 64)],
    ['1:30', text('1:30')],
    ['1.5e3', float(1500)],
    ['.5', float(0.5)],
    ['.', text('.')],
    ['-', text('-')],
    ['1.2.3', text('1.2.3')],
    ['3.8', float(3.8)],
    ['.inf', float(Number.POSITIVE_INFINITY)],
    ['2020-01-02', time('2020-01-02 00:00:00 +0000 UTC')],
    ['2020-1-2', time('2020-01-02 00:00:00 +0000 UTC')],
    ['2020-13-01', text('2020-13-01')],
    ['2021-02-29', text('2021-02-29')],
    ['2001-12-14t21:59:43.10-05:00', time('2001-12-14 21:59:43.1 -0500 -0500')],
    ['2001-12-14 21:59:43', time('2001-12-14 21:59:43 +0000 UTC')],
    ['2001-12-14 21:59:43Z', text('2001-12-14 21:59:43Z')],
    ['2001-12-14T21:59:43', text('2001-12-14T21:59:43')],
  ])('%s', (source, expected) => {
    expect(resolvePlain(source)).toEqual(expected);
  });
});
