import { once } from 'node:events';
import type { Environment } from '../../platform/platform.js';
import { ControllerError } from '../errors.js';
import type { RunCore } from './core.js';
import { until } from './moments.js';
import { type Breach, breach } from './watch.js';

/** From the start of the load to the last batch: says which stage it is, watches, and waits. */
export async function loadPhase(core: RunCore, usage: Environment['usage']): Promise<void> {
  const { signal } = core.over;
  core.settle();
  if (!signal.aborted) {
    const over = once(signal, 'abort');
    void announceStages(core);
    const sample = oneAtATime(() => sampleUsage(core, usage));
    const ticks = setInterval(() => {
      lookOut(core);
      sample();
      core.settle();
    }, core.shared.timings.tickMs);
    await over;
    clearInterval(ticks);
  }
  const missing = core.crew.atWork();
  if (missing.length === 0) return;
  const names = missing
    .map(({ worker }) => `${worker.id} (up to batch ${core.intake.acknowledged(worker.id)})`)
    .join(', ');
  const what = `the last batch of ${missing.length} of ${core.crew.members().length} workers did not come in time: ${names}`;
  core.fail(
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

async function announceStages(core: RunCore): Promise<void> {
  const { start, plan, over, log, shared } = core;
  if (start === undefined) return;
  const known = log.state.kind === 'running' ? log.state.stage : -1;
  for (const stage of plan.stages) {
    if (!(await until(start.startAt + stage.startMs, shared.now, over.signal)) || core.stopping.signal.aborted) return;
    if (stage.index > known) core.record({ type: 'stage.started', stage: stage.index, name: stage.name });
  }
  const ended = await until(start.startAt + core.endMs, shared.now, over.signal);
  if (ended && log.state.kind === 'running') core.record({ type: 'run.draining' });
}

function lookOut(core: RunCore): void {
  const { tMs } = core;
  if (tMs < 0 || tMs >= core.endMs || core.stopping.signal.aborted) return;
  const found = safeBreach(core, tMs);
  if (found === undefined) return;
  core.record({ type: 'threshold.broken', check: found.check, actual: found.actual, abort: true });
  core.stop(found.reason, 'drain', found.detail);
}

/** Called from a timer, where an error would end the whole controller; the run is judged at its end in any case. */
function safeBreach(core: RunCore, tMs: number): Breach | undefined {
  try {
    return breach(core.plan, core.aggregate, tMs);
  } catch (error) {
    core.fail(error);
    core.stop('error', 'drain', 'the live thresholds could not be judged');
    return undefined;
  }
}

async function sampleUsage(core: RunCore, usage: Environment['usage']): Promise<void> {
  const atMs = Math.round(core.tMs);
  if (atMs < 0 || core.over.signal.aborted) return;
  // A sample that could not be taken is a gap in a chart, not a reason to end the run.
  const samples = await usage().catch(() => []);
  if (samples.length === 0 || core.over.signal.aborted) return;
  core.record({ type: 'usage', atMs, samples });
  core.aggregate.addUsage(atMs, samples);
}
