import { describe, expect, test } from '@jest/globals';
import { child, type SourceNode, toValue } from './node.js';
import { parseYaml, type YamlDialect } from './parse-yaml.js';

const origin = { file: 'file.yaml', line: 1, column: 1 };
const lenient: YamlDialect = { mergeKeys: true, documents: 'first', tags: 'kept', keyProblem: () => undefined };

function read(text: string, dialect?: YamlDialect): SourceNode | undefined {
  const { node, problems } = parseYaml(text, origin, dialect);
  expect(problems).toEqual([]);
  return node;
}

function problemsOf(text: string, dialect?: YamlDialect): readonly string[] {
  const { node, problems } = parseYaml(text, origin, dialect);
  if (problems.length > 0) expect(node).toBeUndefined();
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('values and keys know where they stand', () => {
  const map = child(read('a:\n  b: [x,  y]\n'), 'a');
  const entry = map?.kind === 'map' ? map.entries.get('b') : undefined;
  expect(entry?.keyAt).toEqual({ file: 'file.yaml', line: 2, column: 3 });
  expect(entry?.node.kind === 'list' ? entry.node.items.map((item) => item.at.column) : []).toEqual([7, 11]);
});

test('a value that is not there stands where its key does', () => {
  expect(child(read('a: 1\nbc:\n'), 'bc')).toMatchObject({ value: null, at: { line: 2, column: 1 } });
});

test('a byte order mark takes no column', () => {
  expect(child(read('\uFEFFa: 1'), 'a')?.at.column).toBe(4);
});

test('text within another text is placed there', () => {
  const { node } = parseYaml('[1,\n2]', { file: '--set a', line: 1, column: 9 });
  expect(node?.kind === 'list' ? node.items.map(({ at }) => [at.line, at.column]) : []).toEqual([
    [1, 10],
    [2, 1],
  ]);
});

test('a scalar keeps its text beside its value', () => {
  const scalars = read('[0x10, "0x10", !!str 0x10, !own x]', lenient);
  expect(scalars?.kind === 'list' ? scalars.items : []).toMatchObject([
    { value: 16, source: '0x10', plain: true, tag: undefined },
    { value: '0x10', source: '0x10', plain: false, tag: undefined },
    { value: '0x10', source: '0x10', plain: true, tag: 'tag:yaml.org,2002:str' },
    { value: 'x', source: 'x', plain: true, tag: '!own' },
  ]);
});

test('an alias stands for the last node before it that has its anchor', () => {
  const node = read('a: &x 1\nb: [*x]\nc: &x 2\nd: *x');
  expect(node && toValue(node)).toEqual({ a: 1, b: [1], c: 2, d: 2 });
});

describe('merge keys', () => {
  test.each([
    ['own keys win over merged ones, wherever they stand', 'x: &x {a: 1, b: 1}\ny: {<<: *x, a: 2}', { a: 2, b: 1 }],
    ['the first of several merged maps wins', 'x: &x {a: 1}\nz: &z {a: 2, b: 2}\ny: {<<: [*x, *z]}', { a: 1, b: 2 }],
    ['a quoted << is a key like others', 'y: {"<<": 1}', { '<<': 1 }],
  ])('%s', (_, text, expected) => {
    const node = child(read(text, lenient), 'y');
    expect(node && toValue(node)).toEqual(expected);
  });

  test('are keys like others where a dialect has none', () => {
    const node = child(read('x: &x {a: 1}\ny: {<<: *x}'), 'y');
    expect(node && toValue(node)).toEqual({ '<<': { a: 1 } });
  });

  test('take maps only', () => {
    expect(problemsOf('y: {<<: [1]}', lenient)).toEqual([
      '1:10 a merge key (<<) takes a map or a list of maps, not number `1`',
    ]);
  });
});

describe('what cannot be read is refused with its place', () => {
  test.each([
    ['a: 1\na: 2', '2:1 this key is already given in the same map'],
    ['[a]: 1', '1:1 a key must be plain text'],
    ['a: *x', '1:4 no anchor named "x"'],
    ['a: &x [*x]', '1:8 anchor "x" contains itself'],
    ['a: &x\n  b: {c: *x}', '2:10 anchor "x" contains itself'],
    ['a: 1\n---\nb: 2', '2:1 a second document begins here'],
    ['a: !own 1', '1:4 Unresolved tag: !own'],
    ['a: !!binary aGk=', '1:13 only text, numbers, true, false and null can be used here'],
    ['[1', '1:3 Flow sequence must end with a ]'],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)[0]).toBe(expected);
  });

  test('by the rule of a dialect for keys', () => {
    const keyProblem = () => ({ message: 'no such key' });
    expect(problemsOf('a: 1', { ...lenient, keyProblem })).toEqual(['1:1 no such key']);
  });
});

test('a second document is left unread where a dialect reads the first', () => {
  const { node, problems, secondAt } = parseYaml('a: 1\n---\nb: [\n', origin, lenient);
  expect([node && toValue(node), problems, secondAt?.line]).toEqual([{ a: 1 }, [], 2]);
});

test('aliases of aliases cannot fill the memory', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join()}]`);
  expect(problemsOf(['l0: &l0 x', ...levels].join('\n'))).toEqual([
    expect.stringMatching(/more than 200000 values, counting what aliases repeat$/),
  ]);
});
