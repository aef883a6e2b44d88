import { once } from 'node:events';
import { ControllerError } from '../../log/errors.js';
import type { Environment } from '../../platform/platform.js';
import { type RunCore, until } from './active-run.js';
import { type EarlyStop, earlyStop } from './early-stop.js';

/** From the start of the load to the last batch: says which stage it is, watches, and waits. */
export async function loadPhase(run: RunCore, usage: Environment['usage']): Promise<void> {
  const { signal } = run.over;
  run.endIfDone();
  if (!signal.aborted) {
    const over = once(signal, 'abort');
    void announceStages(run);
    const sample = oneAtATime(() => sampleUsage(run, usage));
    const ticks = setInterval(() => {
      checkEarlyStop(run);
      sample();
      run.endIfDone();
    }, run.shared.timings.tickMs);
    await over;
    clearInterval(ticks);
  }
  const missing = run.runWorkers.working();
  if (missing.length === 0) return;
  const names = missing
    .map(({ worker }) => `${worker.id} (up to batch ${run.intake.acknowledged(worker.id)})`)
    .join(', ');
  const what = `the last batch of ${missing.length} of ${run.runWorkers.all().length} workers did not come in time: ${names}`;
  run.fail(
    new ControllerError(
      'TELEMETRY_MISSING',
      what,
      'Look at the logs of these workers; what they did send is in the report.',
    ),
  );
}

/** What takes longer than its interval is left out rather than piled up. */
function oneAtATime(act: () => Promise<void>): () => void {
  let busy = false;
  return () => {
    if (busy) return;
    busy = true;
    void act().finally(() => (busy = false));
  };
}

async function announceStages(run: RunCore): Promise<void> {
  const { start, plan, over, log, shared } = run;
  if (start === undefined) return;
  const known = log.state.kind === 'running' ? log.state.stage : -1;
  for (const stage of plan.stages) {
    if (!(await until(start.startAt + stage.startMs, shared.now, over.signal)) || run.stopping.signal.aborted) return;
    if (stage.index > known) run.record({ type: 'stage.started', stage: stage.index, name: stage.name });
  }
  const ended = await until(start.startAt + run.endMs, shared.now, over.signal);
  if (ended && log.state.kind === 'running') run.record({ type: 'run.draining' });
}

function checkEarlyStop(run: RunCore): void {
  const { tMs } = run;
  if (tMs < 0 || tMs >= run.endMs || run.stopping.signal.aborted) return;
  const found = safeEarlyStop(run, tMs);
  if (found === undefined) return;
  run.record({ type: 'threshold.broken', check: found.check, actual: found.actual, abort: true });
  run.stop(found.reason, 'drain', found.detail);
}

/** Called from a timer, where an error would end the whole controller; the run is judged at its end in any case. */
function safeEarlyStop(run: RunCore, tMs: number): EarlyStop | undefined {
  try {
    return earlyStop(run.plan, run.aggregate, tMs);
  } catch (error) {
    run.fail(error);
    run.stop('error', 'drain', 'the live thresholds could not be judged');
    return undefined;
  }
}

async function sampleUsage(run: RunCore, usage: Environment['usage']): Promise<void> {
  const atMs = Math.round(run.tMs);
  if (atMs < 0 || run.over.signal.aborted) return;
  // A sample that could not be taken is a gap in a chart, not a reason to end the run.
  const samples = await usage().catch(() => []);
  if (samples.length === 0 || run.over.signal.aborted) return;
  run.record({ type: 'usage', atMs, samples });
  run.aggregate.addUsage(atMs, samples);
}
