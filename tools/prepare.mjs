/**
 * Makes `node_modules` and `dist` match `package-lock.json` and the sources; fast when they already do. Used by the
 * launcher, `npm test` and `npm run build` (`--force-build`). Writes to stderr only.
 */
import './require-node.mjs';

import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { takeLock } from './lock.mjs';
import { PrepareError } from './run-quietly.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {{forceBuild?: boolean, print?: (line: string) => void}} options */
export async function prepare({ forceBuild = false, print = printOnStderr } = {}) {
  if (!forceBuild && isInstalled(root) && isBuilt(root)) return;
  const release = await takeLock(join(root, '.build', 'prepare.lock'), () =>
    print('waiting for another process that installs or builds'),
  );
  try {
    // Checked again: the process that had the lock has probably done the work.
    if (!isInstalled(root)) await timed(print, 'installing dependencies', () => install(root));
    if (forceBuild || !isBuilt(root)) await timed(print, 'building', () => build(root));
  } finally {
    release();
  }
}

export async function prepareOrExit(options) {
  try {
    await prepare(options);
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    process.stderr.write(`error: ${error.message}\n${error.output}  hint: ${error.hint}\n`);
    process.exit(error.exitCode);
  }
}

async function timed(print, activity, work) {
  print(`${activity} ...`);
  const started = Date.now();
  await work();
  print(`${activity}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function printOnStderr(line) {
  process.stderr.write(`swarmbench: ${line}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await prepareOrExit({ forceBuild: process.argv.includes('--force-build') });
}
