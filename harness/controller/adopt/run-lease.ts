/** Which controller conducts a run: its lease file names the process, and is touched every second while that lives. */
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { files, leaseHolder, takeLease, touchLease } from '../../log/run-folder.js';
import { isRunning, thisProcess } from './programs.js';

const TOUCH_MS = 1000;
const LEASE_STALE_MS = 3000;

/** Takes the lease for this process and keeps touching it. Returns the function that stops the touching. */
export function holdLease(runFolder: string): () => void {
  takeLease(runFolder, thisProcess());
  const timer = setInterval(() => {
    try {
      touchLease(runFolder);
    } catch {
      // The folder was removed or the disk is gone: the programs of the run will end by themselves.
    }
  }, TOUCH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Whether a living controller holds the lease. On this machine, its process must be running; on another one, it must
 * still touch the file.
 */
export async function isHeld(runFolder: string): Promise<boolean> {
  const path = join(runFolder, files.lease);
  const holder = leaseHolder.safeParse(
    await readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (holder.success && holder.data.host === hostname() && holder.data.startTicks !== undefined) {
    return isRunning({ pid: holder.data.pid, startTicks: holder.data.startTicks });
  }
  const touched = await touchedAt(path);
  if (touched === undefined || Date.now() - touched > LEASE_STALE_MS) return false;
  await sleep(LEASE_STALE_MS);
  return (await touchedAt(path)) !== touched;
}

async function touchedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
}
