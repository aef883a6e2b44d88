/**
 * `npm test`: builds what is stale, then runs jest on the compiled tests. Without arguments all lanes run, those that wait
 * beside those that compute; with arguments (`npm test -- report`) one jest gets them. The last line on stdout is always
 * `N passed, N failed, N skipped`.
 */
import './require-node.mjs';

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { prepareOrExit, root } = await import('./prepare.mjs');

/** Lanes of `jest.config.mjs`: the groups of a step run at the same time, the steps one after the other. */
const STEPS = [[['unit', 'programs', 'runs'], ['engine'], ['stacks']], [['alone']]];

await prepareOrExit();
mkdirSync(join(root, '.build'), { recursive: true });

const children = new Set();
let interruptedBy;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interruptedBy = signal;
    for (const child of children) child.kill(signal);
  });
}

const given = process.argv.slice(2);
const ended = [];
for (const groups of given.length > 0 ? [[undefined]] : STEPS) {
  if (interruptedBy !== undefined) break;
  ended.push(...(await Promise.all(groups.map((lanes) => jest(lanes)))));
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const { counts } of ended) for (const key of Object.keys(total)) total[key] += counts[key];
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
if (interruptedBy !== undefined) process.exitCode = interruptedBy === 'SIGINT' ? 130 : 143;
else process.exitCode = Math.max(...ended.map(({ code }) => code));

/** @param {string[] | undefined} lanes undefined: what the command line says */
function jest(lanes) {
  const group = lanes?.join('-') ?? 'given';
  const summary = join(root, '.build', `test-summary-${process.pid}-${group}.json`);
  const child = spawn(
    process.execPath,
    [
      // Jest loads ES modules through node:vm, which is behind this flag (jestjs.io, "ECMAScript Modules").
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--config',
      join(root, 'jest.config.mjs'),
      ...(lanes === undefined ? given : ['--selectProjects', ...lanes]),
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, SWARMBENCH_TEST_SUMMARY: summary, SWARMBENCH_TEST_GROUP: group },
    },
  );
  children.add(child);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code: signal === null ? code : 1, counts: readCounts(summary, code) });
    });
  });
}

function readCounts(path, code) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  } finally {
    rmSync(path, { force: true });
  }
}
