import { judgeRun } from '../../analysis/verdict.js';
import { messageOf } from '../errors.js';
import type { Verdict } from '../events.js';
import { readEvents } from '../log/event-log.js';
import { dropLease, removeSecrets } from '../log/run-folder.js';
import type { RunCore } from './core.js';
import type { FinishedRun } from './run.js';

export interface Aftermath {
  /** Ends what the run brought up. */
  readonly teardown: () => Promise<void>;
  /** Renders the report from the log. */
  readonly writeReport: (runFolder: string) => Promise<void>;
}

/** From the last batch to the end: verdict, then report and teardown side by side. Never throws. */
export async function conclude(core: RunCore, { teardown, writeReport }: Aftermath): Promise<FinishedRun> {
  const problems: string[] = [];
  const attempt = async (what: string, act: () => Promise<void> | void): Promise<void> => {
    try {
      await act();
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`);
    }
  };
  core.over.abort();
  await attempt('telemetry.jsonl could not be closed', () => core.intake.close());
  core.record({ type: 'run.analysing' });
  const verdict = await judge(core);
  core.record({ type: 'run.finished', verdict });
  await Promise.all([
    attempt('the report could not be written', () => writeReport(core.folder)),
    attempt('teardown', teardown),
    attempt('secrets.json could not be removed', () => removeSecrets(core.folder)),
  ]);
  // Programs end by themselves when the lease is gone, so it goes last: they may be ended in good order first.
  await attempt('the lease could not be removed', () => dropLease(core.folder));
  // Last, so that whoever follows the events to their end finds the reports written.
  core.log.close();
  return { runId: core.id, folder: core.folder, verdict, failure: core.failure, stopped: core.stopped, problems };
}

async function judge(core: RunCore): Promise<Verdict> {
  try {
    const { events } = await readEvents(core.log.path);
    const verdict = judgeRun({ plan: core.plan, events, aggregate: core.aggregate });
    // Only when the log itself could not be written is there a failure that is not in it.
    const inLog = core.failure === undefined || events.some((event) => event.type === 'run.failed');
    return inLog ? verdict : { kind: 'incomplete', reasons: [core.failure?.message ?? '', ...verdict.reasons] };
  } catch (error) {
    core.failure ??= { code: 'INTERNAL', message: messageOf(error) };
    return { kind: 'incomplete', reasons: [`the run could not be judged: ${messageOf(error)}`] };
  }
}
