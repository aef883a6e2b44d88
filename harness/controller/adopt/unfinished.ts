import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvents } from '../../log/event-log.js';
import { files } from '../../log/run-folder.js';
import { isRunId } from '../../log/run-id.js';
import { codeOf, messageOf } from '../../support/error-message.js';
import { isHeld } from './run-lease.js';

interface UnfinishedRun {
  readonly runId: string;
  readonly folder: string;
  /** The URL at which its workers look for their controller; undefined when it had none yet. */
  readonly controllerUrl: string | undefined;
}

/**
 * Runs of a results folder that have not finished and that no living controller holds. Unreadable logs are reported,
 * not thrown: one broken folder must not keep the others from being adopted.
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
