/**
 * A row for each key of the schemas: it sees the effect of its key, or throws. The rows are in tables beside the runs
 * that show the effects; `tests/runs/keys.test.ts` holds all tables against the schemas.
 */
import { describe, test } from '@jest/globals';

export type Rows = Readonly<Record<string, () => Promise<void>>>;

/** The first row that needs a run waits for it. */
const TIMEOUT_MS = 180_000;

export function testRows(rows: Rows): void {
  describe('every key takes effect:', () => {
    test.each(Object.entries(rows))('%s', (_key, seesEffect) => seesEffect(), TIMEOUT_MS);
  });
}
