import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControllerError } from '../../log/errors.js';
import type { Watched } from '../../platform/platform.js';
import type { ActiveRun } from './active-run.js';
import { type EarlyStop, earlyStop } from './early-stop.js';
import type { TruthReader } from './truth.js';

/** How long the last look at what happened may take. */
const LAST_LOOK_MS = 3_000;

/**
 * From the start of the load to the last batch: announces stages, checks stop rules, samples usage, logs what happened
 * to the platform, and waits.
 */
/** @param truths reads the last counts at the end */
export async function loadPhase(run: ActiveRun, watched: Watched, truths?: TruthReader): Promise<void> {
  run.endIfDone();
  if (!run.over.aborted) {
    const over = once(run.over, 'abort');
    void announceStages(run);
    const sample = oneAtATime(() => sampleUsage(run, watched));
    const look = oneAtATime(() => logNews(run, watched));
    const ticks = setInterval(() => {
      checkEarlyStop(run);
      sample();
      look();
      run.endIfDone();
    }, run.context.timings.tickMs);
    await over;
    clearInterval(ticks);
    const lastLooks = Promise.all([logNews(run, watched), truths?.read()]);
    await Promise.race([lastLooks, sleep(LAST_LOOK_MS, undefined, { ref: false })]);
  }
  failIfBatchesAreMissing(run);
}

function failIfBatchesAreMissing(run: ActiveRun): void {
  const missing = run.workers.working();
  if (missing.length === 0) return;
  const names = missing
    .map(({ worker }) => `${worker.id} (up to batch ${run.intake.acknowledged(worker.id)})`)
    .join(', ');
  run.fail(
    new ControllerError(
      'TELEMETRY_MISSING',
      `${missing.length} of ${run.workers.all().length} workers did not send their last batch in time: ${names}`,
      'Look at the logs of these workers; the batches that they did send are in the report.',
    ),
  );
}

/** Skips calls while the previous one is still busy, so that slow calls do not pile up. */
function oneAtATime(act: () => Promise<void>): () => void {
  let busy = false;
  return () => {
    if (busy) return;
    busy = true;
    void act().finally(() => (busy = false));
  };
}

async function announceStages(run: ActiveRun): Promise<void> {
  if (run.start === undefined) return;
  const announced = run.state.kind === 'running' ? run.state.stage : -1;
  for (const stage of run.plan.stages) {
    if (!(await run.reaches(stage.startMs, run.over)) || run.stopping.aborted) return;
    if (stage.index > announced) run.record({ type: 'stage.started', stage: stage.index, name: stage.name });
  }
  const ended = await run.reaches(run.endMs, run.over);
  if (ended && run.state.kind === 'running') run.record({ type: 'run.draining' });
}

function checkEarlyStop(run: ActiveRun): void {
  const { tMs } = run;
  if (tMs < 0 || tMs >= run.endMs || run.stopping.aborted) return;
  const found = safeEarlyStop(run, tMs);
  if (found === undefined) return;
  run.record({ type: 'threshold.broken', check: found.check, actual: found.actual, abort: true });
  run.stop(found.reason, 'drain', found.detail);
}

/** Called from a timer, where an error would end the whole controller. The run is judged at its end in any case. */
function safeEarlyStop(run: ActiveRun, tMs: number): EarlyStop | undefined {
  try {
    return earlyStop(run.plan, run.aggregate, tMs);
  } catch (error) {
    run.fail(error);
    run.stop('error', 'drain', 'the live thresholds could not be judged');
    return undefined;
  }
}

async function sampleUsage(run: ActiveRun, watched: Watched): Promise<void> {
  const atMs = Math.round(run.tMs);
  if (atMs < 0 || run.over.aborted) return;
  // A failed sample is a gap in a chart, not a reason to end the run.
  const samples = await watched.usage().catch(() => []);
  if (samples.length === 0 || run.over.aborted) return;
  run.record({ type: 'usage', atMs, samples });
}

async function logNews(run: ActiveRun, watched: Watched): Promise<void> {
  // What could not be seen now is seen by the next look.
  const { notices, replicas } = (await watched.news?.().catch(() => undefined)) ?? { notices: [], replicas: undefined };
  if (replicas !== undefined) run.record({ type: 'replicas.changed', replicas });
  for (const notice of notices) run.record({ type: 'noticed', ...notice });
}
