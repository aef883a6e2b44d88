/** Installs `node_modules` as `package-lock.json` says. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runQuietly } from './run-quietly.mjs';

const STAMP = join('node_modules', '.swarmbench-lock-hash');

/** An installation that npm itself made or changed counts, too, if it has what the lock file asks for. */
export function isInstalled(root) {
  const hash = lockHash(root);
  if (read(join(root, STAMP)) === hash) return true;
  if (!npmInstalledTheSame(root)) return false;
  writeFileSync(join(root, STAMP), hash);
  return true;
}

export async function install(root) {
  rmSync(join(root, STAMP), { force: true });
  await runQuietly({
    command: 'npm',
    // The build needs the compiler, also when NODE_ENV is production. No dependency needs an install script.
    args: [
      'ci',
      '--include=dev',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--loglevel=error',
    ],
    cwd: root,
    failure: '`npm ci` failed',
    hint: 'is the npm registry reachable (proxy?), and is there room on the disk? `npm ci` shows more',
  });
  writeFileSync(join(root, STAMP), lockHash(root));
}

export function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** npm records its installation in `node_modules/.package-lock.json`. Optional packages are for other platforms. */
function npmInstalledTheSame(root) {
  const installed = read(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  const have = JSON.parse(installed).packages ?? {};
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  return Object.entries(want).every(([path, entry]) => {
    if (path === '' || entry.optional === true) return true;
    const found = have[path];
    return found !== undefined && found.version === entry.version && found.integrity === entry.integrity;
  });
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
