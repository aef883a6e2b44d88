/**
 * A lock file, so that one process at a time installs or builds. It is stale when its process is gone (on this machine)
 * or has not renewed it for a while (in a checkout that machines or containers share).
 */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const RENEW_MS = 2_000;
const SILENT_MS = 20_000;
const POLL_MS = 100;

/**
 * @param {string} path
 * @param {() => void} onWait called once if another process has the lock
 * @returns {Promise<() => void>} releases the lock
 */
export async function takeLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  let waited = false;
  while (!tryTake(path)) {
    if (removeIfStale(path)) continue;
    if (!waited) onWait();
    waited = true;
    await sleep(POLL_MS);
  }
  const renewal = setInterval(() => utimesSync(path, new Date(), new Date()), RENEW_MS);
  renewal.unref();
  return () => {
    clearInterval(renewal);
    rmSync(path, { force: true });
  };
}

function tryTake(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) }), {
      flag: 'wx',
    });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two processes that wait may both see a stale lock, and the slower one must not remove the new lock of the faster one.
 * So a second file guards the removal, and under that the lock is checked again.
 */
function removeIfStale(path) {
  if (!isStale(path)) return false;
  const guard = `${path}.removal`;
  try {
    writeFileSync(guard, '', { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (ageMs(guard) > SILENT_MS) rmSync(guard, { force: true });
    return false;
  }
  try {
    if (isStale(path)) rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function isStale(path) {
  const age = ageMs(path);
  if (age === undefined) return false;
  let owner;
  try {
    owner = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // The lock is gone, or its process died between creating and writing it.
    return age > SILENT_MS;
  }
  if (owner.host !== hostname()) return age > SILENT_MS;
  return !isAlive(owner.pid) || (owner.started !== undefined && owner.started !== startOf(owner.pid));
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Start time in ticks (proc_pid_stat(5), field 22), which distinguishes a process from a later one with its id. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
