/**
 * `npm test`: builds what is stale, then runs jest on the compiled tests. Without arguments all lanes run, those that
 * wait beside those that compute; with arguments (`npm test -- report`) one jest gets them. The last line on stdout is
 * always `N passed, N failed, N skipped`; times of the lanes and names of failures are on stderr.
 */
import './require-node.mjs';

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { STEPS } from './lanes.mjs';

const { prepareOrExit, root } = await import('./prepare.mjs');
await prepareOrExit();
mkdirSync(join(root, '.build'), { recursive: true });

const startedAt = Date.now();
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
  ended.push(...(await Promise.all(groups.map((lanes) => runJest(lanes, groups.length > 1)))));
}
report(ended.map(({ summary }) => summary));
if (interruptedBy !== undefined) process.exitCode = interruptedBy === 'SIGINT' ? 130 : 143;
else process.exitCode = Math.max(...ended.map(({ code }) => code));

/**
 * @param {readonly string[] | undefined} lanes undefined: what the command line says
 * @param {boolean} besideOthers whether others write to this terminal at the same time
 */
function runJest(lanes, besideOthers) {
  const group = lanes?.join('-') ?? 'given';
  const summaryFile = join(root, '.build', `test-summary-${process.pid}-${group}.json`);
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
      ...(besideOthers && process.stderr.isTTY ? ['--colors'] : []),
    ],
    {
      cwd: root,
      // Several that redraw their status lines in one terminal would erase each other's; to a pipe they write results
      // only.
      stdio: ['inherit', besideOthers ? 'pipe' : 'inherit', besideOthers ? 'pipe' : 'inherit'],
      env: {
        ...process.env,
        SWARMBENCH_TEST_SUMMARY: summaryFile,
        SWARMBENCH_TEST_GROUP: group,
      },
    },
  );
  children.add(child);
  child.stdout?.pipe(process.stdout, { end: false });
  child.stderr?.pipe(process.stderr, { end: false });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      children.delete(child);
      if (signal !== null) process.stderr.write(`jest of ${group} was ended by ${signal}\n`);
      resolve({ code: signal === null ? code : 1, summary: readSummary(summaryFile, code) });
    });
  });
}

function readSummary(path, code) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0, lanes: [], failures: [] };
  } finally {
    rmSync(path, { force: true });
  }
}

function report(summaries) {
  for (const { name, files, tests, startedAt: from, endedAt: to } of summaries.flatMap(({ lanes }) => lanes)) {
    const [begin, end] = [from, to].map((at) => `${Math.round((at - startedAt) / 1000)}`);
    process.stderr.write(`lane ${name}: ${tests} tests in ${files} files, from ${begin} s to ${end} s\n`);
  }
  for (const failure of summaries.flatMap(({ failures }) => failures)) {
    process.stderr.write(`failed: ${relative(root, failure)}\n`);
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const summary of summaries) for (const key of Object.keys(total)) total[key] += summary[key];
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
}
