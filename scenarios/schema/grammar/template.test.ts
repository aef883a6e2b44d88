import { describe, expect, test } from '@jest/globals';
import { parseTemplate, parseText, type Template, type TextProblem } from './template.js';

function parse(
  value: unknown,
  numbers = true,
): { readonly template: Template; readonly problems: readonly (readonly [string, TextProblem])[] } {
  const problems: (readonly [string, TextProblem])[] = [];
  const template = parseTemplate(value, numbers, (path, problem) => problems.push([path.join('.'), problem]));
  return { template, problems };
}

describe('templates', () => {
  test.each<[unknown, Template]>([
    ['plain', { kind: 'constant', json: '"plain"' }],
    [{ a: [1, null, true, 'x'] }, { kind: 'constant', json: '{"a":[1,null,true,"x"]}' }],
    ['{{ text 32 }}', { kind: 'string', parts: [{ name: 'text', length: 32 }] }],
    ['{{uuid}}', { kind: 'string', parts: [{ name: 'uuid' }] }],
    ['{{ int -5 5 }}', { kind: 'number', draw: { name: 'int', min: -5, max: 5 } }],
    ['{{ seq }}', { kind: 'number', draw: { name: 'seq' } }],
    ['{{ now }}', { kind: 'number', draw: { name: 'now' } }],
    ['{{ client }}', { kind: 'number', draw: { name: 'client' } }],
    ['n{{ seq }}', { kind: 'string', parts: ['n', { name: 'seq' }] }],
    ['{{ client }}-{{ seq }}', { kind: 'string', parts: [{ name: 'client' }, '-', { name: 'seq' }] }],
    ['{{ pick a b "c d" }}', { kind: 'string', parts: [{ name: 'pick', items: ['a', 'b', 'c d'] }] }],
    ["{{ pick '{{x}}' }}", { kind: 'string', parts: [{ name: 'pick', items: ['{{x}}'] }] }],
    [
      { a: '{{ uuid }}', b: 1 },
      {
        kind: 'object',
        entries: [
          ['a', { kind: 'string', parts: [{ name: 'uuid' }] }],
          ['b', { kind: 'constant', json: '1' }],
        ],
      },
    ],
    [
      ['{{ seq }}', 2],
      {
        kind: 'array',
        items: [
          { kind: 'number', draw: { name: 'seq' } },
          { kind: 'constant', json: '2' },
        ],
      },
    ],
    ['', { kind: 'constant', json: '""' }],
    ['} }} {', { kind: 'constant', json: '"} }} {"' }],
  ])('%j', (value, expected) => {
    expect(parse(value)).toEqual({ template: expected, problems: [] });
  });

  test('a number placeholder alone stays text where text is wanted', () => {
    expect(parse('{{ int 1 2 }}', false).template).toEqual({
      kind: 'string',
      parts: [{ name: 'int', min: 1, max: 2 }],
    });
  });

  test.each<[string, number, RegExp]>([
    ['ab{{ nope }}', 2, /unknown placeholder `nope`/],
    ['{{ }}', 0, /names no placeholder/],
    ['{{ text }}', 0, /does not fit/],
    ['{{ text 0 }}', 0, /does not fit/],
    ['{{ text 1.5 }}', 0, /does not fit/],
    ['{{ text 99999999 }}', 0, /does not fit/],
    ['{{ int 5 1 }}', 0, /does not fit/],
    ['{{ int 1 99999999999999999999 }}', 0, /does not fit/],
    ['{{ pick }}', 0, /does not fit/],
    ['{{ uuid 4 }}', 0, /does not fit/],
    ['x {{ uuid', 2, /without/],
  ])('%j is wrong at %i', (text, offset, message) => {
    expect(parseText(text)).toMatchObject({ ok: false, problem: { offset, message: expect.stringMatching(message) } });
  });

  test('every wrong text is reported, with its path', () => {
    expect(parse({ a: ['{{ x }}'], b: '{{ y }}', c: Number.NaN }).problems.map(([path]) => path)).toEqual([
      'a.0',
      'b',
      'c',
    ]);
  });
});
