/** The log of a whole run with real histograms; each option is something that can go wrong. */
import hdr from 'hdr-histogram-js';
import type { Health } from '../../../client-sim/protocol/messages.js';
import type {
  OperationSeries,
  OwnTimeReport,
  ReplicaSeries,
  SessionSeries,
  Telemetry,
} from '../../../client-sim/protocol/telemetry.js';
import { addOperations, noOperations } from '../../../harness/analysis/facts/counts.js';
import { emptyHistogram } from '../../../harness/analysis/merge/hdr-counts.js';
import type { RunEvent, RunEventBody, TelemetryLine } from '../../../harness/log/events.js';
import type { Plan, StagePlan } from '../../../scenarios/schema/plan.js';

export interface SampleOptions {
  readonly workers?: number;
  /** Latency in microseconds of operation `i` of a second. */
  readonly latencyUs?: (second: number, i: number, worker: number) => number;
  /** The same without the generator's own share; absent: not known, as in logs of older versions. */
  readonly floorUs?: (second: number, i: number, worker: number) => number;
  /** What a worker says of its own time in a second. */
  readonly own?: (second: number, worker: number) => Partial<OwnTimeReport>;
  readonly health?: Partial<Health>;
  /** Changes a series before it is sent. */
  readonly change?: (series: OperationSeries, second: number, worker: number) => OperationSeries;
  /** By worker number: the run time after which it reports nothing. */
  readonly silentAfterMs?: Readonly<Record<number, number>>;
  readonly samples?: Telemetry['samples'];
  /**
   * The names that answers give of the replicas. In each second and for each worker, each of them has 9 answers as slow
   * as the first operation's and one failure; one of its 4 sessions moved to it.
   */
  readonly replicas?: readonly string[];
}

const fitHealth: Health = {
  cpu: 0.3,
  memoryBytes: 80e6,
  eventLoopUtilization: 0.25,
  eventLoopDelayP99Ms: 2,
  lagP99Ms: 1,
  throttledRatio: 0,
  clients: 2,
  sessions: 2,
  connections: 4,
  inFlight: 1,
  queued: 0,
  openFiles: 30,
  openFilesLimit: 1024,
  saturated: false,
};

const fitOwn: OwnTimeReport = {
  sent: 50,
  outSumMs: 10,
  outMaxMs: 0.4,
  answered: 50,
  inSumMs: 5,
  inMaxMs: 0.3,
  elapsedMs: 1000,
  onProcessorMs: 50,
  waitedMs: 5,
  stoppedMs: 0,
};

export function encode(valuesUs: readonly number[]): string {
  const histogram = emptyHistogram();
  for (const value of valuesUs) histogram.recordValue(value);
  return hdr.encodeIntoCompressedBase64(histogram);
}

export function sampleTelemetry(plan: Plan, options: SampleOptions = {}): TelemetryLine[] {
  const lines: TelemetryLine[] = [];
  for (let worker = 0; worker < (options.workers ?? 2); worker += 1) lines.push(...workerLines(plan, worker, options));
  return lines.sort((a, b) => a.batch.toMs - b.batch.toMs);
}

function workerLines(plan: Plan, worker: number, options: SampleOptions): TelemetryLine[] {
  const lines: TelemetryLine[] = [];
  const endMs = plan.stages.at(-1)?.startMs ?? 0;
  const lastMs = endMs + (plan.stages.at(-1)?.durationMs ?? 0);
  for (let toMs = 1000; toMs <= lastMs; toMs += 1000) {
    if (toMs > (options.silentAfterMs?.[worker] ?? Infinity)) break;
    const stage = plan.stages.findLast(({ startMs }) => startMs < toMs) ?? plan.stages[0];
    if (stage === undefined) break;
    const batch = secondBatch(plan, stage, worker, toMs, options);
    const last = toMs === lastMs;
    lines.push({
      workerId: `w${worker + 1}`,
      receivedAt: '2026-01-02T03:04:05.000Z',
      batch: last ? { ...batch, final: { reason: 'finished' } } : batch,
    });
  }
  return lines;
}

function secondBatch(plan: Plan, stage: StagePlan, worker: number, toMs: number, options: SampleOptions): Telemetry {
  const workers = options.workers ?? 2;
  const second = toMs / 1000 - 1;
  const latencyOf = options.latencyUs ?? ((_second, i, of) => 2000 + i * 100 + of * 50);
  const series = plan.profiles.flatMap((profile) => {
    const perSecond =
      profile.arrivals.model === 'open' ? (profile.clients * profile.arrivals.ratePerSecond) / workers : 50;
    const weights = profile.operations.reduce((sum, { weight }) => sum + weight, 0);
    return profile.operations.map((operation) => {
      const count = Math.round((perSecond * operation.weight) / weights);
      const values = Array.from({ length: count }, (_, i) => latencyOf(second, i, worker));
      const floors = values.map((_, i) => options.floorUs?.(second, i, worker) ?? 0);
      const plain = operationSeries(
        stage.index,
        profile.name,
        operation.name,
        values,
        options.floorUs === undefined ? undefined : floors,
      );
      return options.change?.(plain, second, worker) ?? plain;
    });
  });
  const clients = plan.profiles.reduce((sum, profile) => sum + profile.clients, 0) / workers;
  const totals = noOperations();
  for (const one of series) addOperations(totals, one);
  return {
    protocol: 1,
    runId: 'run-1',
    sequence: toMs / 1000,
    fromMs: toMs - 1000,
    toMs,
    stage: stage.index,
    series,
    sessions: plan.profiles.map((profile) =>
      sessionSeries(
        stage.index,
        profile.name,
        second === 0 ? clients : 0,
        toMs - 1000 === stage.startMs ? Math.max(1, clients - stage.index) : 0,
        totals.sent,
      ),
    ),
    ...(options.replicas === undefined
      ? {}
      : {
          replicas: plan.profiles.flatMap(({ name }) =>
            replicaSeries(stage.index, name, options.replicas ?? [], latencyOf(second, 0, worker)),
          ),
        }),
    gauges: { clients, sessions: clients, connections: clients * 2, inFlight: 1, queued: 0 },
    ...(options.own === undefined ? {} : { own: { ...fitOwn, ...options.own(second, worker) } }),
    health: { ...fitHealth, ...options.health },
    samples: second === 0 ? [...(options.samples ?? [])] : [],
  };
}

function operationSeries(
  stage: number,
  profile: string,
  operation: string,
  latenciesUs: readonly number[],
  floorsUs?: readonly number[],
): OperationSeries {
  return {
    stage,
    profile,
    operation,
    offered: latenciesUs.length,
    sent: latenciesUs.length,
    succeeded: latenciesUs.length,
    failed: 0,
    dropped: 0,
    lost: 0,
    unsent: 0,
    errors: {},
    histograms:
      latenciesUs.length === 0
        ? {}
        : {
            latency: encode(latenciesUs),
            service: encode(latenciesUs.map((value) => Math.max(1, value - 200))),
            lag: encode(latenciesUs.map(() => 200)),
            ...(floorsUs === undefined ? {} : { latencyFloor: encode(floorsUs) }),
          },
  };
}

/** Turns `count` of a series' answers into failures of a category. */
export function failing(series: OperationSeries, count: number, category: string): OperationSeries {
  return {
    ...series,
    succeeded: series.succeeded - count,
    failed: series.failed + count,
    errors: { ...series.errors, [category]: (series.errors[category] ?? 0) + count },
  };
}

function replicaSeries(stage: number, profile: string, names: readonly string[], latencyUs: number): ReplicaSeries[] {
  return names.map((replica) => ({
    stage,
    profile,
    replica,
    succeeded: 9,
    failed: 1,
    sessions: 4,
    opened: 1,
    moved: 1,
    moves: 2,
    unknown: 1,
    latency: encode(Array.from({ length: 9 }, () => latencyUs)),
  }));
}

function sessionSeries(
  stage: number,
  profile: string,
  opened: number,
  answered: number,
  messages: number,
): SessionSeries {
  return {
    stage,
    profile,
    sessionsOpened: opened,
    sessionsClosed: 0,
    sessionsLost: 0,
    sessionsAnswered: answered,
    connectionsOpened: opened * 2,
    connectFailures: {},
    messagesSent: messages,
    messagesReceived: messages,
    bytesSent: messages * 300,
    bytesReceived: messages * 500,
    lateAnswers: 0,
    misbehaved: {},
    ...(opened === 0 ? {} : { connect: encode(Array.from({ length: opened }, (_, i) => 1500 + i * 10)) }),
  };
}

/** A quiet run's events; `more` come before the last. */
export function sampleEvents(plan: Plan, more: readonly RunEventBody[] = [], workers = 2): RunEvent[] {
  const ids = Array.from({ length: workers }, (_, at) => `w${at + 1}`);
  const lastSequence = plan.stages.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const share = plan.profiles.map(({ clients }, profile) => ({
    profile,
    start: 0,
    step: workers,
    count: clients / workers,
  }));
  const silent = new Set(
    more.flatMap((event) => (event.type === 'worker.lost' || event.type === 'worker.finished' ? [event.workerId] : [])),
  );
  const bodies: RunEventBody[] = [
    { type: 'run.created', runId: 'run-1', plan, command: 'swarmbench run sample', version: '0.1.0' },
    { type: 'environment', environment: { platform: 'local', node: 'v20.19.0', kernel: '6.1.0', cpus: 2 } },
    {
      type: 'target.ready',
      endpoints: ['http://127.0.0.1:3000/mcp'],
      replicas: [{ id: 'replica-1', node: 'localhost', url: 'http://127.0.0.1:3000/mcp' }],
    },
    ...ids.map(
      (workerId, at): RunEventBody => ({
        type: 'worker.registered',
        workerId,
        worker: {
          protocol: 1,
          host: 'localhost',
          pid: 100 + at,
          capacity: { clients: 1000, ratePerSecond: 1e5, connections: 1000 },
          threads: 1,
          version: '0.1.0',
          incarnation: `00000000-0000-4000-8000-00000000000${at}`,
        },
      }),
    ),
    ...ids.map(
      (workerId): RunEventBody => ({
        type: 'worker.clock',
        workerId,
        clock: { offsetMs: 0.02, errorMs: 0.1, roundTrips: 8 },
      }),
    ),
    { type: 'preflight.started' },
    {
      type: 'preflight.passed',
      pinned: { era: 'legacy', version: '2025-11-25', sessions: true },
      serverInfo: { name: 'bench', version: '1.0.0' },
      exchanges: [],
    },
    {
      type: 'run.started',
      startAt: Date.parse('2026-01-02T03:04:00.000Z'),
      assignments: ids.map((workerId) => ({ assignmentId: `a-${workerId}`, workerId, slots: share })),
    },
    ...more,
    ...ids
      .filter((id) => !silent.has(id))
      .map((workerId): RunEventBody => ({ type: 'worker.finished', workerId, reason: 'finished', lastSequence })),
    { type: 'run.analysing' },
  ];
  return bodies.map((body, at) => ({
    seq: at + 1,
    at: new Date(Date.parse('2026-01-02T03:03:55.000Z') + at * 500).toISOString(),
    ...body,
  }));
}
