import { randomInt } from 'node:crypto';

/** Without letters and digits that are easily mistaken for one another. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';

/**
 * `20261120-211402-smoke-x7k2`: UTC to the second, the scenario, four random characters. Sorts by time of creation, and
 * is safe as a folder name and in a URL.
 */
export function runId(scenario: string, nowMs: number): string {
  const iso = new Date(nowMs).toISOString();
  const date = iso.slice(0, 10).replaceAll('-', '');
  const time = iso.slice(11, 19).replaceAll(':', '');
  const slug =
    scenario
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40) || 'run';
  const tail = Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${date}-${time}-${slug}-${tail}`;
}

const RUN_ID = /^\d{8}-\d{6}-[a-z0-9][a-z0-9-]*-[a-z0-9]{4}$/;

/** Whether a name from outside is a run id, and thus safe to use as a folder name. */
export function isRunId(name: string): boolean {
  return RUN_ID.test(name);
}
