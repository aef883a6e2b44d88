/**
 * The worker's whole engine (schedules, windows, histograms, snapshots, one engine thread) under full load or at a
 * fixed rate. Arguments: URL, clients, requests in flight of each, seconds, the rate of each client a second
 * (0: as fast as answers come), and the pacing. Prints one line of JSON.
 */

import type { Batch } from '../../client-sim/measure/batch.js';
import { percentileMs } from '../../client-sim/measure/duration-histogram.js';
import { WorkerMetrics } from '../../client-sim/measure/worker-metrics.js';
import { type AssignmentOrder, PROTOCOL } from '../../client-sim/protocol/messages.js';
import { EngineThreads, SpareThreads } from '../../client-sim/threads/engine-threads.js';
import { hrNowMs } from '../../client-sim/threads/thread-messages.js';
import { benchPlan, MEASURED_STAGE } from './bench-plan.js';
import { LoadTime, WARM_UP_SECONDS } from './load-time.js';

const [url = '', clients = '20', pipeline = '1', seconds = '5', rate = '0', pacing = 'batch'] = process.argv.slice(2);
const ratePerSecond = Number(rate) === 0 ? undefined : Number(rate);
if (pacing !== 'batch' && pacing !== 'metronome' && pacing !== 'spin') throw new TypeError(`no pacing ${pacing}`);
const plan = benchPlan({
  clients: Number(clients),
  pipeline: Number(pipeline),
  seconds: Number(seconds),
  ratePerSecond,
  pacing,
});
const order: AssignmentOrder = {
  type: 'assignment',
  protocol: PROTOCOL,
  runId: 'bench',
  workerId: 'bench',
  assignmentId: 'bench',
  plan,
  endpoints: [{ url, headers: {} }],
  pinned: { era: 'legacy', version: '2025-11-25', sessions: true },
  slots: [{ profile: 0, start: 0, step: 1, count: Number(clients) }],
  startAt: 0,
  joinMs: 0,
};
const total = { offered: 0, requests: 0, failed: 0, dropped: 0, lost: 0, unsent: 0 };
const lag = new Map<number, number>();
const metrics = new WorkerMetrics();
let busiestLoop = 0;
let telemetryBytes = 0;

/** Does with a batch what the worker does: telemetry and metrics take their time from the same core. */
function add(batch: Batch): void {
  const all = batch.operationSeries();
  telemetryBytes += JSON.stringify({ series: all, sessions: batch.sessionSeries(), gauges: batch.totals() }).length;
  metrics.observe(batch, plan);
  if (batch.stage === MEASURED_STAGE)
    for (const [cell, count] of batch.lagCells()) lag.set(cell, (lag.get(cell) ?? 0) + count);
  for (const series of all) {
    if (series.stage !== MEASURED_STAGE) continue;
    total.offered += series.offered;
    total.requests += series.succeeded;
    total.failed += series.failed;
    total.dropped += series.dropped;
    total.lost += series.lost;
    total.unsent += series.unsent;
  }
  busiestLoop = Math.max(busiestLoop, batch.loopUtilization);
}

const START_AFTER_MS = 500;

const spare = new SpareThreads(1);
// The thread loads its code before the start, as in a run.
let time = new LoadTime();
setTimeout(() => (time = new LoadTime()), START_AFTER_MS + WARM_UP_SECONDS * 1000);
const engineThreads = new EngineThreads(
  order,
  { threads: 1, spare, startHrMs: hrNowMs() + START_AFTER_MS, clockErrorMs: 0 },
  {
    onLog: () => undefined,
    onOpened: () => undefined,
    onBatch: add,
    onLimit: (problem) => {
      throw new Error(problem);
    },
    onEnded: (last, problem) => {
      if (problem !== undefined) throw new Error(problem);
      add(last);
      const lagUs = {
        p50: 1000 * percentileMs(lag, 50),
        p99: 1000 * percentileMs(lag, 99),
        max: 1000 * percentileMs(lag, 100),
      };
      const figures = {
        ...total,
        ...time.read(),
        threads: engineThreads.threads,
        lagUs,
        telemetryBytes,
        loopUtilization: busiestLoop,
        rssBytes: process.memoryUsage().rss,
      };
      process.stdout.write(`${JSON.stringify(figures)}\n`);
      void spare.close();
    },
  },
);
