import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsOf } from './event-log.js';
import { files } from './run-folder.js';
import { isRunId } from './run-id.js';
import { emptySummary, nextSummary, type RunSummary } from './summary.js';

/** The runs of a results folder, from their logs. A finished run no longer changes, so its log is read only once. */
export class RunHistory {
  private readonly finished = new Map<string, RunSummary>();

  constructor(private readonly resultsFolder: string) {}

  /** Newest first. @param live summaries of runs that are on, whose logs need not be read */
  async list(live: (runId: string) => RunSummary | undefined): Promise<readonly RunSummary[]> {
    const names = (await readdir(this.resultsFolder)).filter(isRunId).toSorted().toReversed();
    const summaries: RunSummary[] = [];
    for (const name of names) {
      const summary = live(name) ?? (await this.get(name));
      if (summary) summaries.push(summary);
    }
    return summaries;
  }

  /** Undefined when there is no such run or its log cannot be read. */
  async get(runId: string): Promise<RunSummary | undefined> {
    const known = this.finished.get(runId);
    if (known || !isRunId(runId)) return known;
    let summary = emptySummary;
    try {
      for await (const event of eventsOf(this.eventsPath(runId))) summary = nextSummary(summary, event);
    } catch {
      return undefined;
    }
    if (summary.runId === '') return undefined;
    if (summary.state.kind === 'finished') this.finished.set(runId, summary);
    return summary;
  }

  eventsPath(runId: string): string {
    return join(this.resultsFolder, runId, files.events);
  }
}
