import { expect } from '@jest/globals';
import { createEngine, type Engine } from '../../../client-sim/engine/engine.js';
import { Batch } from '../../../client-sim/measure/batch.js';
import { LoopMonitor } from '../../../client-sim/measure/health/loop-monitor.js';
import { OwnShare } from '../../../client-sim/measure/health/own-share.js';
import { ReplicaNames } from '../../../client-sim/measure/replica-names.js';
import type { Snapshot } from '../../../client-sim/measure/snapshot.js';
import type { OperationSeries, ReplicaSeries, SessionSeries } from '../../../client-sim/protocol/telemetry.js';
import type { WorkerPlan } from '../../../scenarios/schema/plan.js';
import { sumOfSeries } from '../client-sim/sum-of-series.js';
import { type ServerScript, SimulatedWorld } from './simulated-world.js';

interface SimulationResult {
  readonly world: SimulatedWorld;
  readonly snapshots: readonly Snapshot[];
  readonly series: readonly OperationSeries[];
  readonly sessions: readonly SessionSeries[];
  readonly replicas: readonly ReplicaSeries[];
  readonly limit: string | undefined;
}

interface SimulationOptions {
  readonly script: ServerScript;
  /** Milliseconds to the next pump. */
  readonly step?: (nowMs: number) => number;
  /** What to do at given virtual times. */
  readonly at?: readonly { readonly atMs: number; readonly act: (engine: Engine) => void }[];
  readonly joinMs?: number;
  readonly bytesLimit?: number;
  readonly ratePerSecond?: number;
  /** Names of the replicas that the script numbers from 1. */
  readonly replicas?: readonly string[];
  /** Name of the only replica behind the endpoint. */
  readonly endpointReplica?: string;
}

/** Runs a whole plan on one engine in virtual time. */
export function runSimulation(plan: WorkerPlan, options: SimulationOptions): SimulationResult {
  const world = new SimulatedWorld(options.script);
  const loop = new LoopMonitor();
  const snapshots: Snapshot[] = [];
  let finished = false;
  let limit: string | undefined;
  const clients = plan.profiles.flatMap((profile, index) =>
    Array.from({ length: profile.clients }, (_, client) => ({ profile: index, index: client })),
  );
  const replicas = new ReplicaNames();
  for (const name of options.replicas ?? []) replicas.numberOf(name);
  const engine = createEngine({
    plan,
    clients,
    endpoints: () => [options.endpointReplica === undefined ? {} : { replica: options.endpointReplica }],
    replicas,
    joinMs: options.joinMs ?? 0,
    limits: { ratePerSecond: options.ratePerSecond ?? Infinity, bytes: options.bytesLimit ?? Infinity },
    clock: () => world.nowMs,
    startMs: 0,
    runClock: { startHrMs: 0, errorMs: 0 },
    loop,
    // In virtual time the thread sleeps whenever it is not called.
    own: new OwnShare({ idleMs: () => world.nowMs, turns: undefined, readSchedule: undefined }, () => world.nowMs),
    templates: (profile) =>
      profile.operations.map((operation, index) => ({
        index,
        method: operation.method,
        nameHeader: undefined,
        maxBodyBytes: 0,
        writeBody: () => 0,
      })),
    createChannel: (profile, _endpoint, events, listener) =>
      world.channel(events, profile.rules.capacity, profile.counters, listener),
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    onFinished: (last) => {
      snapshots.push(last);
      finished = true;
    },
    onLimit: (problem) => (limit = problem),
  });
  for (const { atMs, act } of options.at ?? []) world.after(atMs, () => act(engine));
  world.run(engine.pump, () => finished, options.step ?? (() => 1));
  loop.stop();
  const total = new Batch(plan);
  for (const snapshot of snapshots) total.add(snapshot);
  return {
    world,
    snapshots,
    series: total.operationSeries(),
    sessions: total.sessionSeries(),
    replicas: total.replicaSeries(),
    limit,
  };
}

/** Every operation that was due and every session has exactly one outcome. */
export function expectBalance({ series, sessions, world }: SimulationResult): void {
  for (const row of series) {
    expect(row.offered).toBe(row.sent + row.dropped + row.unsent);
    expect(row.sent).toBe(row.succeeded + row.failed + row.lost);
    expect(Object.values(row.errors).reduce((sum, count) => sum + count, 0)).toBe(row.failed);
  }
  const opened = sessions.reduce((total, row) => total + row.sessionsOpened, 0);
  const ended = sessions.reduce((total, row) => total + row.sessionsClosed + row.sessionsLost, 0);
  expect(ended).toBe(opened);
  const answered = sessions.reduce((total, row) => total + row.sessionsAnswered, 0);
  const succeeded = sumOfSeries(series).succeeded;
  expect(answered).toBeLessThanOrEqual(succeeded);
  expect(answered > 0).toBe(succeeded > 0);
  expect(world.channels.every((channel) => channel.ended || !channel.opened)).toBe(true);
}
