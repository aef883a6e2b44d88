import { afterEach } from '@jest/globals';

const pending: (() => unknown)[] = [];

/** Runs `act` after the current test, passed or not; the last registered first. */
export function onTestEnd(act: () => unknown): void {
  pending.push(act);
}

afterEach(async () => {
  for (const act of pending.splice(0).reverse()) await act();
});
