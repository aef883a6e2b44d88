import { describe, expect, test } from '@jest/globals';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { foldRun } from '../../../tests/support/analysis/fold-run.js';
import {
  check,
  samplePlan,
  sampleProfile,
  sampleStage,
  threshold,
} from '../../../tests/support/analysis/sample-plan.js';
import {
  failing,
  type SampleOptions,
  sampleEvents,
  sampleTelemetry,
} from '../../../tests/support/analysis/sample-run.js';
import type { RunEventBody, Verdict } from '../../log/events.js';

function judged(options: SampleOptions & { plan?: Plan; events?: readonly RunEventBody[] } = {}) {
  const plan = options.plan ?? samplePlan();
  return foldRun(sampleEvents(plan, options.events ?? [], options.workers ?? 2), sampleTelemetry(plan, options));
}

function lost(policy: Plan['onWorkerLoss']): RunEventBody {
  return { type: 'worker.lost', workerId: 'w2', lastHeardMs: 3000, silentMs: 3500, policy };
}

function stop(reason: 'user' | 'interrupt' | 'threshold' | 'stop-rule'): RunEventBody {
  return { type: 'stop.requested', reason, mode: 'drain', detail: 'test' };
}

const fast = threshold(check('latency.p95', '<', 200));
const tooFast = threshold(check('latency.p95', '<', 0.001));
const closed = samplePlan({
  profiles: [sampleProfile({ arrivals: { model: 'closed', thinkTime: { kind: 'none' } } })],
});

type Row = readonly [
  name: string,
  model: () => ReturnType<typeof judged>,
  kind: Verdict['kind'],
  exit: number,
  reason: RegExp,
];
const rows: readonly Row[] = [
  ['a quiet run passes', () => judged({ plan: samplePlan({ thresholds: [fast] }) }), 'passed', 0, /^$/],
  [
    'a broken threshold fails a run',
    () => judged({ plan: samplePlan({ thresholds: [tooFast] }) }),
    'failed',
    99,
    /latency\.p95 < 0\.001: was .* ms/,
  ],
  [
    'a threshold without data is not passed',
    () =>
      judged({ plan: samplePlan({ thresholds: [threshold(check('latency.p95', '<', 200, { profile: 'other' }))] }) }),
    'failed',
    99,
    /no data/,
  ],
  [
    'a saturated event loop makes a run invalid',
    () => judged({ health: { eventLoopUtilization: 0.96 } }),
    'invalid',
    4,
    /worker w1 used 96 % of its event loop .* add workers \(--workers N\)/,
  ],
  [
    'a loop that waits for a processor is no less saturated, and the reason is the machine',
    () => judged({ health: { eventLoopUtilization: 0.96, processorWait: 0.6, eventLoopDelayP99Ms: 80 } }),
    'invalid',
    4,
    new RegExp(
      'worker w1 used 96 % of its event loop .*, and for 60 % of that time one of its threads was ready to run ' +
        'and had no processor: the machine is at its limit.* held up for 80 ms .* had no processor',
      's',
    ),
  ],
  [
    'a loop that waits now and then, but is late because of its own work, needs more workers',
    () => judged({ health: { eventLoopUtilization: 0.96, processorWait: 0.1 } }),
    'invalid',
    4,
    /worker w1 used 96 % of its event loop .*: add workers/,
  ],
  [
    'waiting for a processor without being late is no reason',
    () => judged({ health: { processorWait: 0.6 } }),
    'passed',
    0,
    /^$/,
  ],
  [
    'a spinning profile may keep its loop busy',
    () =>
      judged({
        plan: samplePlan({ profiles: [sampleProfile({ pacing: 'spin' })] }),
        health: { eventLoopUtilization: 1, cpu: 1 },
      }),
    'passed',
    0,
    /^$/,
  ],
  [
    'a spinning profile may not send late',
    () =>
      judged({
        plan: samplePlan({ profiles: [sampleProfile({ pacing: 'spin' })] }),
        health: { lagP99Ms: 40, eventLoopDelayP99Ms: 30 },
      }),
    'invalid',
    4,
    /40 ms or more after they were due/,
  ],
  [
    'lateness while our loop is not held up is caused by the target: the window waits for its answers',
    () => judged({ health: { lagP99Ms: 800, eventLoopDelayP99Ms: 45 } }),
    'passed',
    0,
    /^$/,
  ],
  [
    'cgroup throttling makes a run invalid',
    () => judged({ health: { throttledRatio: 0.3 } }),
    'invalid',
    4,
    /throttled by its cgroup for 30 %/,
  ],
  [
    'file descriptors that run out make a run invalid',
    () => judged({ health: { openFiles: 1000 } }),
    'invalid',
    4,
    /ulimit -n/,
  ],
  [
    'local ports that run out make a run invalid',
    () => judged({ health: { localPorts: 28_000, localPortsLimit: 28_232 } }),
    'invalid',
    4,
    /ip_local_port_range/,
  ],
  [
    'a window full until the end is load that the target did not take',
    () =>
      judged({
        change: (series, second) =>
          second < 2 ? series : { ...series, offered: series.offered * 2, dropped: series.offered },
      }),
    'failed',
    99,
    /load not delivered: in stage steady profile normal sent 50 % .* lower the rate/,
  ],
  [
    'a target that gives no session has not taken the load',
    () =>
      judged({
        change: (series, second) =>
          second < 2 ? series : { ...series, offered: series.offered * 2, unsent: series.offered },
      }),
    'failed',
    99,
    /load not delivered: .* no session/,
  ],
  [
    'connections for which the machine of a worker has nothing left make a run invalid',
    () =>
      judged({
        plan: samplePlan({ thresholds: [threshold(check('errors.rate', '<', 0.01))] }),
        change: (series, second) => (second < 2 ? series : failing(series, 5, 'exhausted_by_us')),
      }),
    'invalid',
    4,
    /nothing left to make \d+ connections with: raise ulimit -n/,
  ],
  [
    'arrivals that never came due are load not offered',
    () =>
      judged({
        plan: samplePlan({
          profiles: [sampleProfile({ arrivals: { model: 'open', ratePerSecond: 250, spacing: 'uniform' } })],
        }),
        change: (series) => ({
          ...series,
          offered: series.offered / 2,
          sent: series.sent / 2,
          succeeded: series.succeeded / 2,
        }),
      }),
    'invalid',
    4,
    /load not offered/,
  ],
  [
    'fewer arrivals are no reason in a stage whose load was adjusted',
    () =>
      judged({
        plan: samplePlan({
          profiles: [sampleProfile({ arrivals: { model: 'open', ratePerSecond: 250, spacing: 'uniform' } })],
        }),
        change: (series) => ({
          ...series,
          offered: series.offered / 2,
          sent: series.sent / 2,
          succeeded: series.succeeded / 2,
        }),
        events: [{ type: 'load.adjusted', adjustId: 'x', stage: 1, atMs: 2000, load: 0.5 }],
      }),
    'passed',
    0,
    /^$/,
  ],
  [
    'counts that do not add up are a bug of ours',
    () => judged({ change: (series) => ({ ...series, succeeded: series.succeeded - 1 }) }),
    'invalid',
    4,
    /do not add up .* sent: 4/,
  ],
  [
    'a lost worker makes a run incomplete (fail)',
    () => judged({ events: [lost('fail')], silentAfterMs: { 1: 3000 } }),
    'incomplete',
    4,
    /worker w2 was lost at 3 s/,
  ],
  [
    'a lost worker leaves too little load (continue)',
    () =>
      judged({
        plan: samplePlan({
          onWorkerLoss: 'continue',
          profiles: [sampleProfile({ arrivals: { model: 'open', ratePerSecond: 250, spacing: 'uniform' } })],
        }),
        events: [lost('continue')],
        silentAfterMs: { 1: 3000 },
      }),
    'invalid',
    4,
    /load not offered: .* worker w2 was lost/,
  ],
  [
    'a lost worker leaves too little load in a closed loop, by the time of its clients',
    () =>
      judged({ plan: { ...closed, onWorkerLoss: 'continue' }, events: [lost('continue')], silentAfterMs: { 1: 3000 } }),
    'invalid',
    4,
    /clients were active for 63 %/,
  ],
  [
    'a worker lost in the last moment, load delivered (continue)',
    () =>
      judged({
        plan: samplePlan({ onWorkerLoss: 'continue' }),
        events: [lost('continue')],
        silentAfterMs: { 1: 5900 },
      }),
    'invalid',
    4,
    /worker w2 was lost after .* and the load went on without its clients/,
  ],
  [
    'a worker lost in the last moment, load delivered (replace)',
    () =>
      judged({ plan: samplePlan({ onWorkerLoss: 'replace' }), events: [lost('replace')], silentAfterMs: { 1: 6000 } }),
    'passed',
    0,
    /^$/,
  ],
  [
    'a worker that falls silent leaves a gap in the telemetry',
    () =>
      judged({
        silentAfterMs: { 1: 5000 },
        events: [{ type: 'worker.finished', workerId: 'w2', reason: 'finished', lastSequence: 6 }],
      }),
    'incomplete',
    4,
    /1 telemetry batch of worker w2 is missing/,
  ],
  [
    'a worker that failed',
    () =>
      judged({
        events: [
          { type: 'worker.finished', workerId: 'w2', reason: 'failed', lastSequence: 6, problem: 'out of memory' },
        ],
      }),
    'incomplete',
    4,
    /w2 failed: out of memory/,
  ],
  [
    'a worker that stopped by itself',
    () =>
      judged({
        events: [
          { type: 'worker.finished', workerId: 'w2', reason: 'stopped', lastSequence: 6, problem: 'byte limit' },
        ],
      }),
    'incomplete',
    4,
    /stopped its load by itself: byte limit/,
  ],
  ['stopped by its user', () => judged({ events: [stop('user')] }), 'incomplete', 4, /stopped on request/],
  ['interrupted', () => judged({ events: [stop('interrupt')] }), 'incomplete', 130, /interrupted/],
  ['stopped by a safety rule', () => judged({ events: [stop('stop-rule')] }), 'incomplete', 4, /safety rule/],
  [
    'ended by a threshold that broke',
    () =>
      judged({
        plan: samplePlan({ thresholds: [tooFast] }),
        events: [{ type: 'threshold.broken', check: tooFast.check.text, actual: 3, abort: true }, stop('threshold')],
      }),
    'failed',
    99,
    /latency/,
  ],
  [
    'ended by a threshold that recovered while draining',
    () =>
      judged({
        plan: samplePlan({ thresholds: [fast] }),
        events: [{ type: 'threshold.broken', check: fast.check.text, actual: 300, abort: true }, stop('threshold')],
      }),
    'failed',
    99,
    /was 300 during the run/,
  ],
  [
    'nothing succeeded and nothing judges errors',
    () => judged({ change: (series) => failing(series, series.succeeded, 'http_500') }),
    'invalid',
    4,
    /none of/,
  ],
  [
    'nothing succeeded and a threshold says so',
    () =>
      judged({
        plan: samplePlan({ thresholds: [threshold(check('errors.rate', '<', 0.01))] }),
        change: (series) => failing(series, series.succeeded, 'http_500'),
      }),
    'failed',
    99,
    /errors\.rate < 0\.01: was 100 %/,
  ],
  [
    'no measured stage',
    () =>
      judged({
        plan: samplePlan({
          stages: [sampleStage({ index: 0, name: 'a', startMs: 0, durationMs: 4000, measured: false })],
        }),
      }),
    'invalid',
    4,
    /no measured stage/,
  ],
];

describe('the verdict', () => {
  test.each(rows)('%s', (_, model, kind, exit, reason) => {
    const { verdict, exitCode } = model();
    expect(verdict.reasons.join('\n')).toMatch(reason);
    expect(verdict.kind).toBe(kind);
    expect(exitCode).toBe(exit);
  });

  test('an invalid run still lists the threshold that failed', () => {
    const { verdict } = judged({ plan: samplePlan({ thresholds: [tooFast] }), health: { eventLoopUtilization: 0.99 } });
    expect(verdict.kind).toBe('invalid');
    expect(verdict.reasons.some((reason) => reason.includes('latency.p95'))).toBe(true);
  });

  test.each([
    [
      'preflight refused',
      [{ type: 'preflight.failed', problem: 'the target answers 404', exchanges: [] }],
      3,
      /preflight failed: the target answers 404/,
    ],
    [
      'the target did not start',
      [{ type: 'run.failed', code: 'DEPLOY_FAILED', message: 'no target', hint: 'look' }],
      3,
      /no target \(look\)/,
    ],
    ['an internal error', [{ type: 'run.failed', code: 'INTERNAL', message: 'oops' }], 1, /oops/],
    ['nothing happened', [], 4, /never started/],
  ] as const satisfies readonly (readonly [string, readonly RunEventBody[], number, RegExp])[])(
    'before the load began: %s',
    (_, more, exit, reason) => {
      const plan = samplePlan({ thresholds: [fast] });
      const events = sampleEvents(plan).slice(0, 3);
      const model = foldRun(
        [...events, ...more.map((body, at) => ({ seq: 10 + at, at: '2026-01-02T03:04:00.000Z', ...body }))],
        [],
      );
      expect(model.verdict.kind).toBe('incomplete');
      expect(model.exitCode).toBe(exit);
      expect(model.verdict.reasons.join('\n')).toMatch(reason);
    },
  );

  test('workers that did not run at the same time make a run invalid', () => {
    const plan = samplePlan();
    const lines = sampleTelemetry(plan).filter(
      ({ workerId, batch }) => workerId === 'w1' || batch.toMs <= 2000 || batch.toMs > 3000,
    );
    const renumbered = lines.map((line) =>
      line.workerId === 'w2' && line.batch.toMs > 3000
        ? { ...line, batch: { ...line.batch, sequence: line.batch.sequence - 1 } }
        : line,
    );
    const events = sampleEvents(plan, [
      { type: 'worker.finished', workerId: 'w2', reason: 'finished', lastSequence: 5 },
    ]);
    const { verdict } = foldRun(events, renumbered);
    expect(verdict.kind).toBe('invalid');
    expect(verdict.reasons.join()).toMatch(/overlap by 75 % .* w2 started it at 3 s/);
  });

  test('a repeated line counts once', () => {
    const plan = samplePlan();
    const lines = sampleTelemetry(plan);
    const once = foldRun(sampleEvents(plan), lines);
    const twice = foldRun(sampleEvents(plan), [...lines, ...lines]);
    expect(twice.aggregate.select({ stages: [0, 1] }).counts).toEqual(once.aggregate.select({ stages: [0, 1] }).counts);
  });
});
