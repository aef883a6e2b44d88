import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsOf } from '../../log/event-log.js';
import type { RunEvent } from '../../log/events.js';
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
      let last: RunEvent | undefined;
      let controllerUrl: string | undefined;
      for await (const event of eventsOf(join(folder, files.events))) {
        last = event;
        if (event.type === 'controller.listening') controllerUrl = event.url;
      }
      if (last === undefined || last.type === 'run.finished' || (await isHeld(folder))) continue;
      runs.push({ runId, folder, controllerUrl });
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) problems.push(messageOf(error));
    }
  }
  return { runs, problems };
}
