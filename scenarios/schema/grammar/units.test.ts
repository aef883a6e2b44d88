import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  explain,
  formatBytes,
  formatDuration,
  formatRate,
  parseDuration,
  parsePercentage,
  parseRate,
  parseSize,
  parseSizeRate,
  patterns,
  type Quantity,
} from './units.js';

describe('quantities', () => {
  test.each([
    [parseDuration, '1h30m', 5_400_000],
    [parseDuration, '500ms', 500],
    [parseDuration, '1.5s', 1500],
    [parseDuration, '250us', 0.25],
    [parseDuration, '250µs', 0.25],
    [parseDuration, '2d', 172_800_000],
    [parseDuration, '1d2h3m4s5ms', 93_784_005],
    [parseDuration, '0s', 0],
    [parseDuration, '4.35s', 4350],
    [parseRate, '10000/s', 10_000],
    [parseRate, '60/min', 1],
    [parseRate, '36 / h', 0.01],
    [parseRate, '0.5/s', 0.5],
    [parseSize, '1 KiB', 1024],
    [parseSize, '1kB', 1000],
    [parseSize, '1.5 MiB', 1_572_864],
    [parseSize, '200 B', 200],
    [parseSizeRate, '1 KiB/s', 1024],
    [parseSizeRate, '200 B / s', 200],
    [parsePercentage, '100%', 1],
    [parsePercentage, '0.1 %', 0.001],
    [parsePercentage, '7%', 0.07],
  ] as const)('%p of %j is %d', (parse, text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each<[Quantity, string]>([
    ['duration', ''],
    ['duration', '10'],
    ['duration', '1m1h'],
    ['duration', '1s1s'],
    ['duration', 's'],
    ['duration', '1 s'],
    ['duration', '1.s'],
    ['duration', '-1s'],
    ['duration', '1e3s'],
    ['duration', '1min'],
    ['rate', '10'],
    ['rate', '10/m'],
    ['rate', '/s'],
    ['rate', '1,000/s'],
    ['size', '10'],
    ['size', '1 kib'],
    ['size', '1 KiB/s'],
    ['sizeRate', '1 KiB'],
    ['percentage', '10'],
    ['percentage', '10 pct'],
  ])('no %s: %j', (quantity, text) => {
    expect(patterns[quantity].test(text)).toBe(false);
  });

  test('an explanation says what is wrong', () => {
    expect(explain('duration', '1m1h')).toContain('is not a duration');
    expect(explain('duration', 10)).toContain('has no unit');
    expect(explain('rate', '10s')).toContain('is a duration: expected a rate');
    expect(explain('size', null)).toContain('expected a size, such as 64 KiB');
  });

  test('the parser reads all that the pattern takes, and always as a finite number', () => {
    const parts = ['d', 'h', 'm', 's', 'ms', 'us'].map((unit) =>
      fc.option(
        fc.nat(100_000).map((n) => `${n / 100}${unit}`),
        { nil: '' },
      ),
    );
    fc.assert(
      fc.property(fc.tuple(...parts), (written) => {
        const text = written.join('');
        const value = parseDuration(text);
        expect(value !== undefined && Number.isFinite(value)).toBe(patterns.duration.test(text));
      }),
    );
  });

  test('text is never two quantities at once', () => {
    const kinds = Object.keys(patterns) as Quantity[];
    const unit = fc.constantFrom('d', 'h', 'm', 's', 'ms', 'us', '/s', '/min', 'B', ' KiB', ' MB/s', '%', '');
    fc.assert(
      fc.property(fc.nat(), unit, (amount, suffix) => {
        expect(kinds.filter((kind) => patterns[kind].test(`${amount}${suffix}`)).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('what is formatted parses again to the same value', () => {
  test('durations of whole milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), (ms) => expect(parseDuration(formatDuration(ms))).toBe(ms)),
    );
  });
  test('sizes of whole bytes up to a gigabyte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (bytes) =>
        expect(Math.round(parseSize(formatBytes(bytes)) ?? -1)).toBe(bytes),
      ),
    );
  });
  test('rates of thousandths', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e7 }), (n) => {
        expect(parseRate(formatRate(n / 1000))).toBe(n / 1000);
      }),
    );
  });
  test.each([
    [5_400_000, '1h30m'],
    [90_061_500, '25h1m1.5s'],
    [500, '500ms'],
    [0.25, '250us'],
    [0, '0ms'],
    [60_000, '1m'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
