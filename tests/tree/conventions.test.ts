/** The conventions of CONTRIBUTING.md that neither the formatter nor the linter checks. */
import { describe, expect, test } from '@jest/globals';
import { unconventional } from './conventions.js';
import { sourceFiles } from './source-files.js';

/** Breaks every convention, as text. */
const thisFile = 'tests/tree/conventions.test.ts';

test('every source file keeps to the conventions', () => {
  const files = sourceFiles(['.ts', '.mjs', '.sh']).filter(({ path }) => path !== thisFile);
  expect(files.length).toBeGreaterThan(500);
  expect(unconventional(files)).toEqual([]);
});

describe('the conventions can be broken:', () => {
  test.each<[string]>([
    ['  #count = 0;'],
    ['  static readonly #count = 0;'],
    ['  async #read(): Promise<void> {'],
    ['    return this.#count;'],
    ['const double = (count: number) => 2 * count;'],
    ['export const double = async (count: number): Promise<number> => {'],
    ['const same = <T>(value: T): T => value;'],
    ['const same = value => value;'],
    ['const double = ('],
    [`// ${'x'.repeat(118)}`],
  ])('by %j', (line) => {
    expect(unconventional([{ path: 'harness/api/api.ts', text: `first\n${line}\n` }])).toEqual([
      expect.stringMatching(/^harness\/api\/api\.ts:2: /),
    ]);
  });

  test.each<[string]>([
    ['  private count = 0;'],
    ['- [Units](#units)'],
    ["    const element = page.locator('#row');"],
    ['const answerAll: Handler = (request) => answer(request);'],
    ['const total = (first + second) * 2;'],
    ['  const double = (count: number) => 2 * count;'],
    ['const names = files.map((file) => file.name);'],
    [`// ${'x'.repeat(117)}`],
  ])('but not by %j', (line) => {
    expect(unconventional([{ path: 'harness/api/api.ts', text: line }])).toEqual([]);
  });
});
