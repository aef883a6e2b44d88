/**
 * Tests that need what not every machine has. Where it is missing they are skipped and their names say why; where CI is
 * set they fail instead, since CI has to have it.
 */
import { describe, test } from '@jest/globals';

/** @param missing what is not there; undefined: nothing */
export function describeWith(missing: string | undefined, name: string, body: () => void): void {
  choose(missing, describe, describe.skip)(named(name, missing), body);
}

/** @param missing what is not there; undefined: nothing */
export function testWith(
  missing: string | undefined,
  name: string,
  body: () => Promise<void>,
  timeoutMs?: number,
): void {
  choose(missing, test, test.skip)(named(name, missing), body, timeoutMs);
}

/** What only a Linux kernel reports or allows. */
export const missingLinux = process.platform === 'linux' ? undefined : 'this is not Linux';

function choose<T>(missing: string | undefined, run: T, skip: T): T {
  if (missing === undefined) return run;
  if (process.env.CI) throw new Error(`${missing}; CI needs it`);
  return skip;
}

function named(name: string, missing: string | undefined): string {
  return missing === undefined ? name : `${name} (skipped: ${missing})`;
}
