import { judgeRun } from '../../analysis/judge/verdict.js';
import { messageOf } from '../../log/errors.js';
import { readEvents } from '../../log/event-log.js';
import type { Verdict } from '../../log/events.js';
import { dropLease, removeSecrets } from '../../log/run-folder.js';
import type { RunCore } from './active-run.js';
import type { FinishedRun } from './run.js';

interface ConcludeOptions {
  /** Ends what the run brought up. */
  readonly teardown: () => Promise<void>;
  /** Renders the report from the log. */
  readonly writeReport: (runFolder: string) => Promise<void>;
}

/** From the last batch to the end: verdict, then report and teardown side by side. Never throws. */
export async function conclude(run: RunCore, { teardown, writeReport }: ConcludeOptions): Promise<FinishedRun> {
  const problems: string[] = [];
  const attempt = async (what: string, act: () => Promise<void> | void): Promise<void> => {
    try {
      await act();
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`);
    }
  };
  run.over.abort();
  await attempt('telemetry.jsonl could not be closed', () => run.intake.close());
  run.record({ type: 'run.analysing' });
  const verdict = await judge(run);
  run.record({ type: 'run.finished', verdict });
  await Promise.all([
    attempt('the report could not be written', () => writeReport(run.folder)),
    attempt('teardown', teardown),
    attempt('secrets.json could not be removed', () => removeSecrets(run.folder)),
  ]);
  // Programs end by themselves when the lease is gone, so it goes last: they may be ended in good order first.
  await attempt('the lease could not be removed', () => dropLease(run.folder));
  // Last, so that whoever follows the events to their end finds the reports written.
  run.log.close();
  return { runId: run.id, folder: run.folder, verdict, failure: run.failure, stopped: run.stopped, problems };
}

async function judge(run: RunCore): Promise<Verdict> {
  try {
    const { events } = await readEvents(run.log.path);
    const verdict = judgeRun({ plan: run.plan, events, aggregate: run.aggregate });
    // Only when the log itself could not be written is there a failure that is not in it.
    const inLog = run.failure === undefined || events.some((event) => event.type === 'run.failed');
    return inLog ? verdict : { kind: 'incomplete', reasons: [run.failure?.message ?? '', ...verdict.reasons] };
  } catch (error) {
    run.failure ??= { code: 'INTERNAL', message: messageOf(error) };
    return { kind: 'incomplete', reasons: [`the run could not be judged: ${messageOf(error)}`] };
  }
}
