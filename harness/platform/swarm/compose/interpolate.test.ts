import { describe, expect, test } from '@jest/globals';
import { castFor, substitute } from './interpolate.js';

const variables: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '' };
function lookup(name: string) {
  return variables[name];
}

describe('every form of a variable', () => {
  test.each([
    ['$SET ${SET}', 'value value'],
    ['$set', ''],
    ['$$SET $${SET}', '$SET ${SET}'],
    ['${EMPTY:-d} ${UNSET:-d} ${SET:-d}', 'd d value'],
    ['[${EMPTY-d}] ${UNSET-d} ${SET-d}', '[] d value'],
    ['${SET:?m}${SET?m}[${EMPTY?m}]', 'valuevalue[]'],
    ['${UNSET:-a:-b}', 'a:-b'],
    ['${UNSET:-}', ''],
    ['x${UNSET}y', 'xy'],
    ['$SET.$SET/$SET', 'value.value/value'],
  ])('%s', (text, expected) => {
    expect(substitute(text, lookup)).toEqual({ kind: 'done', text: expected, warnings: [] });
  });
});

describe('what is refused', () => {
  test.each([
    ['a $ b', /\$ is not followed by a variable/],
    ['$1', /\$ is not followed by a variable/],
    ['${}', /\$ is not followed by a variable/],
    ['${SET:+x}', /\$ is not followed by a variable/],
    ['${UNSET:?why}', /^the variable UNSET must be set: why$/],
    ['${EMPTY:?}', /^the variable EMPTY must be set$/],
    ['${UNSET?why}', /UNSET must be set: why/],
  ])('%s', (text, expected) => {
    const outcome = substitute(text, lookup);
    expect(outcome.kind === 'refused' ? outcome.message : outcome).toMatch(expected);
  });
});

describe('a warning shows where the CLI reads something else than a person would', () => {
  test.each([
    ['${UNSET:-${SET}}', '${SET}', /is not interpolated/],
    ['${UNSET:?must-be}', 'be', /does not demand UNSET/],
    ['$UNSET-alpine', 'alpine', /write \$\{UNSET\} to end the name/],
    ['$ ${SET}', ' value', /the CLI goes on/],
    ['${UNSET:?x} ${SET}', ' value', /the CLI goes on/],
  ])('%s', (text, expected, warning) => {
    const outcome = substitute(text, lookup);
    expect(outcome).toMatchObject({ kind: 'done', text: expected });
    expect(outcome.kind === 'done' && outcome.warnings.join()).toMatch(warning);
  });
});

test('a cast is found by path, and not below a name with a dot', () => {
  expect(castFor(['services', 'a', 'ports', '[]', 'target'])).toBeDefined();
  expect(castFor(['services', 'a', 'ulimits', 'nofile', 'soft'])).toBeDefined();
  expect(castFor(['services', 'a.b', 'tty'])).toBeUndefined();
  expect(castFor(['services', 'a', 'image'])).toBeUndefined();
});
