import { expect, test } from '@jest/globals';
import { parseEnvFile } from './environment.js';

function parse(text: string) {
  return parseEnvFile(new TextEncoder().encode(text), (name) => (name === 'OUTSIDE' ? 'from outside' : undefined));
}

test('lines are taken as they are: no quotes, no escapes', () => {
  const parsed = parse('\uFEFFA=1\r\n  B= x \n#C=3\n\n D="q"\nE=\nOUTSIDE\nNOWHERE\nF=a=b\nA=2');
  expect(parsed.kind === 'variables' && Object.fromEntries(parsed.variables)).toEqual({
    A: '2',
    B: ' x ',
    D: '"q"',
    E: '',
    OUTSIDE: 'from outside',
    F: 'a=b',
  });
});

test.each([
  ['A=1\nB C=2', 2, /space in it: "B C"/],
  ['=x', 1, /no name/],
  [`A=1\n\nB=${'x'.repeat(70_000)}`, 3, /longer than 64 KiB/],
])('%#: a bad line is named', (text, line, message) => {
  expect(parse(text)).toEqual({ kind: 'wrong', line, message: expect.stringMatching(message) });
});

test('bytes that are not UTF-8 text are refused', () => {
  expect(parseEnvFile(new Uint8Array([0x41, 0x3d, 0xff]), () => undefined).kind).toBe('wrong');
});
