import type { LookupAddress } from 'node:dns';
import { expect, test } from '@jest/globals';
import { KeptAddress, type Lookups } from './kept-address.js';

interface Pending {
  readonly how: keyof Lookups;
  readonly resolve: (address: string) => void;
  readonly reject: (code: string) => void;
}

/** Look-ups that end when the test says so. */
function held(): { readonly lookups: Lookups; readonly pending: Pending[] } {
  const pending: Pending[] = [];
  const hold = (how: keyof Lookups) => (): Promise<readonly LookupAddress[]> =>
    new Promise((resolve, reject) => {
      pending.push({
        how,
        resolve: (address) => resolve([{ address, family: 4 }]),
        reject: (code) => reject(Object.assign(new Error(code), { code })),
      });
    });
  return { lookups: { system: hold('system'), query: hold('query') }, pending };
}

function ask(kept: KeptAddress): Promise<string> {
  return new Promise((resolve) =>
    kept.lookup('tasks.harness', {}, (error, address) => resolve(error === null ? String(address) : `${error.code}`)),
  );
}

test('the first connection waits for the name; later ones get the last address and look it up meanwhile', async () => {
  const { lookups, pending } = held();
  const kept = new KeptAddress(lookups, () => 0);
  const first = ask(kept);
  pending[0]?.resolve('10.0.0.1');
  expect(await first).toBe('10.0.0.1');
  expect(await ask(kept)).toBe('10.0.0.1');
  expect(pending).toHaveLength(2);
  // The look-up in the background is still on: nobody waits for it, and there is no second one.
  expect(await ask(kept)).toBe('10.0.0.1');
  expect(pending).toHaveLength(2);
  pending[1]?.resolve('10.0.0.2');
  await Promise.resolve();
  await new Promise(setImmediate);
  expect(await ask(kept)).toBe('10.0.0.2');
});

test('a name that is unknown for a while keeps its last address', async () => {
  const { lookups, pending } = held();
  const kept = new KeptAddress(lookups, () => 0);
  const first = ask(kept);
  pending[0]?.resolve('10.0.0.1');
  await first;
  await ask(kept);
  pending[1]?.reject('ENOTFOUND');
  await new Promise(setImmediate);
  expect(await ask(kept)).toBe('10.0.0.1');
});

test('while the look-up of the system hangs, short queries find the new address', async () => {
  const { lookups, pending } = held();
  let now = 0;
  const kept = new KeptAddress(lookups, () => now);
  const first = ask(kept);
  pending[0]?.resolve('10.0.0.1');
  await first;
  await ask(kept);
  now = 2_000;
  await ask(kept);
  expect(pending.map(({ how }) => how)).toEqual(['system', 'system', 'query']);
  pending[2]?.resolve('10.0.0.2');
  await new Promise(setImmediate);
  expect(await ask(kept)).toBe('10.0.0.2');
});

test('a name that was never known fails with the error of the look-up, and may be asked for again', async () => {
  const { lookups, pending } = held();
  const kept = new KeptAddress(lookups, () => 0);
  const first = ask(kept);
  pending[0]?.reject('EAI_AGAIN');
  expect(await first).toBe('EAI_AGAIN');
  await new Promise(setImmediate);
  const second = ask(kept);
  pending[1]?.resolve('10.0.0.1');
  expect(await second).toBe('10.0.0.1');
});
