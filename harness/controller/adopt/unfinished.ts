import { readdir, readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../../log/errors.js';
import { readEvents } from '../../log/event-log.js';
import { files, leaseHolder } from '../../log/run-folder.js';
import { isRunId } from '../../log/run-id.js';
import { isRunning } from './programs.js';

interface UnfinishedRun {
  readonly runId: string;
  readonly folder: string;
  /**
   * Where its workers look for their controller: who adopts it must listen there. Undefined when it never got that far.
   */
  readonly controllerUrl: string | undefined;
}

/** A live controller touches its lease every second. */
const LEASE_STALE_MS = 3000;

/**
 * Runs in a results folder that have no end and that no living controller holds. Unreadable logs are reported, not
 * thrown: one broken folder must not keep the others from being adopted.
 */
export async function unfinishedRuns(
  resultsFolder: string,
): Promise<{ readonly runs: readonly UnfinishedRun[]; readonly problems: readonly string[] }> {
  const names = await readdir(resultsFolder).catch(() => []);
  const runs: UnfinishedRun[] = [];
  const problems: string[] = [];
  for (const runId of names.filter(isRunId).toSorted()) {
    const folder = join(resultsFolder, runId);
    try {
      const { events } = await readEvents(join(folder, files.events));
      if (events.length === 0 || events.at(-1)?.type === 'run.finished' || (await isHeld(folder))) continue;
      const listening = events.findLast((event) => event.type === 'controller.listening');
      runs.push({ runId, folder, controllerUrl: listening?.url });
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) problems.push(messageOf(error));
    }
  }
  return { runs, problems };
}

/**
 * Whether a controller that lives conducts this run: on this machine by its process, elsewhere by its lease going on.
 */
async function isHeld(folder: string): Promise<boolean> {
  const path = join(folder, files.lease);
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
