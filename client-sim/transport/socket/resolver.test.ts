import { expect, test } from '@jest/globals';
import { lookupOnce } from './resolver.js';

function resolve(host: string, all: boolean): Promise<unknown> {
  return new Promise((done) =>
    lookupOnce(host, { all }, (error, address, family) => done(error === null ? [address, family] : error.code)),
  );
}

test('many connections to one name share a lookup, and all get its addresses', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => resolve('localhost', false)));
  const addresses = new Set(all.map((answer) => JSON.stringify(answer)));
  for (const answer of addresses) expect(['["127.0.0.1",4]', '["::1",6]']).toContain(answer);
  expect(await resolve('localhost', true)).toEqual([
    expect.arrayContaining([expect.objectContaining({ family: expect.any(Number) })]),
    undefined,
  ]);
});

test('a name that does not exist is an error for each connection, and is asked for again', async () => {
  const name = 'no-such-host.invalid';
  const codes = await Promise.all([resolve(name, false), resolve(name, true)]);
  for (const code of [...codes, await resolve(name, false)]) expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(code);
});
