import { describe, expect, test } from '@jest/globals';
import { Findings } from '../findings.js';
import { printed } from '../go/numbers.js';
import { readGoYaml } from './go-values.js';
import type { SourceValue } from './value.js';

function read(text: string) {
  const findings = new Findings();
  return { value: readGoYaml(text, 'file.yml', findings), findings };
}

function plain(value: SourceValue | undefined): unknown {
  if (value?.kind === 'map')
    return Object.fromEntries([...value.entries].map(([key, entry]) => [key, plain(entry.value)]));
  return value?.kind === 'list' ? value.items.map(plain) : value && (printed(value) ?? null);
}

test('quoted scalars are text, whatever they look like', () => {
  expect(read('a: "1"\nb: \'true\'\nc: |\n  2\n').value?.entries.get('c')?.value).toMatchObject({
    kind: 'text',
    text: '2\n',
  });
});

test('values and keys know where they stand', () => {
  const entry = read('a:\n  b: [x,  y]\n').value?.entries.get('a');
  const inner = entry?.value.kind === 'map' ? entry.value.entries.get('b') : undefined;
  expect(inner?.keyAt).toEqual({ file: 'file.yml', line: 2, column: 3 });
  expect(inner?.value.kind === 'list' ? inner.value.items.map((item) => item.at.column) : []).toEqual([7, 11]);
});

test('a value that is not there stands where its key does', () => {
  expect(read('a: 1\nbc:\n').value?.entries.get('bc')?.value).toEqual({
    kind: 'null',
    at: { file: 'file.yml', line: 2, column: 1 },
  });
});

describe('merge keys', () => {
  test.each([
    ['own keys win over merged ones, wherever they stand', 'x: &x {a: 1, b: 1}\ny: {<<: *x, a: 2}', { a: '2', b: '1' }],
    [
      'the first of several merged maps wins',
      'x: &x {a: 1}\nz: &z {a: 2, b: 2}\ny: {<<: [*x, *z]}',
      { a: '1', b: '2' },
    ],
    ['a quoted << is a key like others', 'y: {"<<": 1}', { '<<': '1' }],
  ])('%s', (_, text, expected) => {
    expect(plain(read(text).value?.entries.get('y')?.value)).toEqual(expected);
  });
});

describe('what cannot be read is refused with its place', () => {
  test.each([
    ['', '1:1 the file is empty'],
    ['- a', '1:1 a compose file must be a map, not a list'],
    ['a: 1\na: 2', '2:1 this key is already given in the same map'],
    ['a: {1: x}', '1:5 a key must be text, and this one is the number 1'],
    ['a: *x', '1:4 no anchor named "x"'],
    ['a: &x [*x]', '1:8 anchor "x" contains itself'],
    ['a: {<<: *x}', '1:9 no anchor named "x"'],
    ['a: .nan', '1:4 infinity and not-a-number cannot be used'],
    ['a: !!int x', '1:10 "x" cannot be read as !!int'],
  ])('%j', (text, expected) => {
    const { value, findings } = read(text);
    expect(value).toBeUndefined();
    expect(findings.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([expected]);
  });
});

test('tags of YAML itself say how a scalar is read', () => {
  const { value } = read('a: [!!str 1, !!float 1, !!binary aGk=, !!int 0x10, ! 1]');
  expect(plain(value)).toEqual({ a: ['1', '1', 'hi', '16', '1'] });
});

test('aliases of aliases cannot fill the memory', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join()}]`);
  expect(read(['l0: &l0 x', ...levels].join('\n')).findings.problems[0]?.message).toMatch(/^more than/);
});

test('further documents and unknown tags are ignored with a warning', () => {
  const { value, findings } = read('a: !reset [1]\n---\nb: [\n');
  expect(plain(value)).toEqual({ a: ['1'] });
  expect(findings.warnings.map(({ line, code }) => `${line} ${code}`)).toEqual(['2 IGNORED', '1 IGNORED']);
});
