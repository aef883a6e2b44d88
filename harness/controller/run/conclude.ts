import { addFact, newRunFacts } from '../../analysis/facts/run-facts.js';
import { judge } from '../../analysis/judge/verdict.js';
import { eventsOf } from '../../log/event-log.js';
import type { Verdict } from '../../log/events.js';
import { dropLease, removeSecrets } from '../../log/run-folder.js';
import { messageOf } from '../../support/error-message.js';
import type { ActiveRun } from './active-run.js';
import type { FinishedRun } from './run.js';

interface ConcludeOptions {
  /** Ends everything that was started for the run. */
  readonly teardown: () => Promise<void>;
  /** Renders the report from the log. */
  readonly writeReport: (runFolder: string) => Promise<void>;
}

/** From the last batch to the end of the run: the verdict, then report and teardown side by side. Never throws. */
export async function conclude(run: ActiveRun, { teardown, writeReport }: ConcludeOptions): Promise<FinishedRun> {
  const problems: string[] = [];
  const attempt = async (onError: string, act: () => Promise<void> | void): Promise<void> => {
    try {
      await act();
    } catch (error) {
      problems.push(`${onError}: ${messageOf(error)}`);
    }
  };
  run.endLoad();
  await attempt('telemetry.jsonl could not be closed', () => run.intake.close());
  run.record({ type: 'run.analysing' });
  const verdict = await judgeRun(run);
  run.record({ type: 'run.finished', verdict });
  await Promise.all([
    attempt('the report could not be written', () => writeReport(run.folder)),
    attempt('teardown failed', teardown),
    attempt('secrets.json could not be removed', () => removeSecrets(run.folder)),
  ]);
  // Programs end by themselves when the lease is gone, so it is removed after teardown has ended them in good order.
  await attempt('the lease could not be removed', () => dropLease(run.folder));
  // Last, because clients that follow the events to their end expect to find the reports.
  run.log.close();
  return { runId: run.id, folder: run.folder, verdict, failure: run.failure, stopped: run.stopped, problems };
}

async function judgeRun(run: ActiveRun): Promise<Verdict> {
  try {
    const facts = newRunFacts();
    for await (const event of eventsOf(run.log.path)) addFact(facts, event);
    const verdict = judge(run.plan, facts, run.aggregate);
    // A failure is missing from the log only when the log itself could not be written.
    const inLog = run.failure === undefined || facts.failed !== undefined;
    return inLog ? verdict : { kind: 'incomplete', reasons: [run.failure?.message ?? '', ...verdict.reasons] };
  } catch (error) {
    run.noteFailure({ code: 'INTERNAL', message: messageOf(error) });
    return { kind: 'incomplete', reasons: [`the run could not be judged: ${messageOf(error)}`] };
  }
}
