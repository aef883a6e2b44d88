/** Builds `dist` from the sources. A stamp lists every input with size, time and hash, so that checking it is cheap. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { lockHash } from './install.mjs';
import { runQuietly } from './run-quietly.mjs';

const STAMP = '.inputs.json';
/** What the compiler remembers of its last run; it stands in `dist`, so that it goes when that is deleted. */
const COMPILER_STATE = '.tsbuildinfo';

/** A file with a new time and the same hash, as after a checkout, is unchanged; the stamp then gets the new time. */
export function isBuilt(root) {
  const stamp = readStamp(root);
  if (stamp === undefined || stamp.lock !== lockHash(root)) return false;
  const inputs = inputsOf(root);
  if (inputs.length !== Object.keys(stamp.inputs).length) return false;
  let outdated = false;
  for (const path of inputs) {
    const known = stamp.inputs[path];
    if (known === undefined) return false;
    const { mtimeMs, size } = statSync(join(root, path));
    if (known.mtimeMs === mtimeMs && known.size === size) continue;
    if (known.sha256 !== hashOf(root, path)) return false;
    known.mtimeMs = mtimeMs;
    known.size = size;
    outdated = true;
  }
  if (!inputs.every((path) => outputsOf(path).every((output) => existsSync(join(root, 'dist', output))))) return false;
  if (outdated) writeStamp(root, stamp);
  return true;
}

export async function build(root) {
  // Without the stamp, a failed build is not taken for a good one. Inputs are read first, so that one that changes
  // during the build is built again.
  rmSync(join(root, 'dist', STAMP), { force: true });
  const inputs = Object.fromEntries(
    inputsOf(root).map((path) => {
      const { mtimeMs, size } = statSync(join(root, path));
      return [path, { mtimeMs, size, sha256: hashOf(root, path) }];
    }),
  );
  // The compiler trusts its state and would not write a lost output again.
  const wanted = Object.keys(inputs).flatMap(outputsOf);
  if (!wanted.every((output) => existsSync(join(root, 'dist', output))))
    rmSync(join(root, 'dist', COMPILER_STATE), { force: true });
  await runQuietly({
    command: process.execPath,
    args: [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', root],
    cwd: root,
    failure: 'the build failed',
    hint: 'fix the type errors above; `npm run typecheck` shows them again',
  });
  removeStaleOutputs(root, new Set([...wanted, STAMP, COMPILER_STATE]));
  writeStamp(root, { lock: lockHash(root), inputs });
}

/** Otherwise tests and imports would still find the outputs of renamed or deleted sources. */
function removeStaleOutputs(root, wanted) {
  const dist = join(root, 'dist');
  for (const path of filesBelow(dist, '')) {
    // The compiler copies the JSON files that are imported, wherever their sources are.
    const isCopy = path.endsWith('.json') && existsSync(join(root, path));
    if (!wanted.has(path) && !isCopy) rmSync(join(dist, path));
  }
  removeEmptyFolders(dist);
}

function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    removeEmptyFolders(path);
    if (readdirSync(path).length === 0) rmdirSync(path);
  }
}

function inputsOf(root) {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const sources = include
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => [...filesBelow(join(root, folder), folder)])
    .filter((path) => path.endsWith('.ts') || path.endsWith('.json'));
  return ['tsconfig.json', ...sources];
}

function outputsOf(source) {
  if (!source.endsWith('.ts') || source.endsWith('.d.ts')) return [];
  const stem = source.slice(0, -'.ts'.length);
  return [`${stem}.js`, `${stem}.js.map`];
}

function* filesBelow(folder, prefix) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(join(folder, entry.name), name);
    else yield name;
  }
}

function hashOf(root, path) {
  return createHash('sha256')
    .update(readFileSync(join(root, path)))
    .digest('hex');
}

function readStamp(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'dist', STAMP), 'utf8'));
  } catch {
    return undefined;
  }
}

function writeStamp(root, stamp) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const path = join(root, 'dist', STAMP);
  writeFileSync(`${path}.${process.pid}`, JSON.stringify(stamp));
  renameSync(`${path}.${process.pid}`, path);
}
