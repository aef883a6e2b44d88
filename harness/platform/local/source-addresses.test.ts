import { describe, expect, test } from '@jest/globals';

import { withSourceAddresses } from './source-addresses.js';

function at(url: string) {
  return { url, headers: {} };
}
const one = [at('http://127.0.0.1:1/mcp')];

describe('connections to loopback come from several addresses where there are many', () => {
  test.each([
    [14_000, undefined],
    [14_001, ['127.0.0.2', '127.0.0.3', '127.0.0.4']],
    [27_000, ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']],
  ])('%i to one address', (connections, sources) => {
    expect(withSourceAddresses(one, connections, 1, 'linux').map((endpoint) => endpoint.sources)).toEqual([sources]);
  });

  test('as each address has its share, two need none for as many', () => {
    expect(
      withSourceAddresses([...one, at('http://127.0.0.1:2/mcp')], 28_000, 2, 'linux').every(
        ({ sources }) => sources === undefined,
      ),
    ).toBe(true);
  });

  test('not to another machine, nor to a name, nor where only 127.0.0.1 is ours', () => {
    const others = [at('http://10.0.0.1/mcp'), at('http://localhost:1/mcp')];
    expect(withSourceAddresses(others, 100_000, 1, 'linux')).toEqual(others);
    expect(withSourceAddresses(one, 100_000, 1, 'darwin')).toEqual(one);
  });
});
