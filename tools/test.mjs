/**
 * `npm test`: prepares what is stale, then runs jest on the compiled tests with whatever arguments were given
 * (`npm test -- report`). The last line on stdout is always `N passed, N failed, N skipped`.
 */
import './require-node.mjs';

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { prepareOrExit, root } = await import('./prepare.mjs');
await prepareOrExit();

const summary = join(root, '.build', `test-summary-${process.pid}.json`);
mkdirSync(join(root, '.build'), { recursive: true });

const child = spawn(
  process.execPath,
  [
    // Jest loads ES modules through node:vm, which is behind this flag (jestjs.io, "ECMAScript Modules").
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--config',
    join(root, 'jest.config.mjs'),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SWARMBENCH_TEST_SUMMARY: summary } },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

child.once('close', (code, signal) => {
  const counts = readCounts() ?? { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  rmSync(summary, { force: true });
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  process.exitCode = signal === null ? code : 130;
});

function readCounts() {
  try {
    return JSON.parse(readFileSync(summary, 'utf8'));
  } catch {
    return undefined;
  }
}
