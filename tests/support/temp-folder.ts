import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestEnd } from './test-end.js';

/** An empty folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-test-'));
  onTestEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
