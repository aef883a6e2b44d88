import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import type { LoopMonitor } from '../measure/loop-monitor.js';
import { Recorder } from '../measure/recorder.js';
import type { ReplicaNames } from '../measure/replica-names.js';
import { SeriesLayout } from '../measure/series.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { AdjustOrder, WorkerPlan } from '../protocol/messages.js';
import { Engine, type StopMode } from './engine.js';
import { Floor } from './floor.js';
import type { ClientPlace } from './partition.js';
import { Population } from './population.js';
import { type ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import { SendLimit } from './send-limit.js';
import { SnapshotTaker } from './snapshot-taker.js';
import { type RunClock, StampClock } from './stamp-clock.js';

export interface ThreadEngineOptions {
  readonly plan: WorkerPlan;
  readonly places: readonly ClientPlace[];
  /** How many endpoints a profile has, and the name of the one replica behind each, where it is one. */
  readonly endpoints: (profile: number) => readonly { readonly replica?: string }[];
  /** Shared with the channels, which number the replicas that answer. */
  readonly replicas: ReplicaNames;
  readonly joinMs: number;
  /** This thread's share of the plan's limits. */
  readonly limits: { readonly ratePerSecond: number; readonly bytes: number };
  readonly clock: () => number;
  readonly runClock: RunClock;
  /** What `clock` shows when the run starts. */
  readonly startMs: number;
  readonly loop: LoopMonitor;
  readonly templates: (profile: ProfilePlan, index: number) => readonly RequestTemplate[];
  readonly createChannel: ChannelFactory;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onFinished: (last: Snapshot) => void;
  readonly onLimit: (problem: string) => void;
}

/** What drives one thread's load, seen from outside. */
export interface ThreadEngine {
  readonly pump: () => void;
  add(places: readonly ClientPlace[], joinMs: number): void;
  adjust(order: Pick<AdjustOrder, 'stage' | 'atMs' | 'load' | 'profile'>): void;
  stop(mode: StopMode): void;
}

/** Puts the parts of one thread together; knows neither threads nor sockets. */
export function createThreadEngine(options: ThreadEngineOptions): ThreadEngine {
  const { plan } = options;
  const layout = new SeriesLayout(plan);
  const floor = new Floor({
    seed: plan.seed,
    recorder: new Recorder(layout, options.replicas),
    layout,
    profiles: plan.profiles.length,
    limit: new SendLimit(options.limits.ratePerSecond, 0),
    createChannel: options.createChannel,
    homeOf: ({ index }, endpoint) => options.replicas.numberOf(options.endpoints(index)[endpoint]?.replica ?? ''),
    stampClock: new StampClock(options.runClock),
    stageNames: plan.stages.map(({ name }) => name),
    clock: options.clock,
    startMs: options.startMs,
  });
  const profiles = plan.profiles.map(
    (profile, index) => new ProfileRuntime(index, profile, options.templates(profile, index)),
  );
  const population = new Population(floor, profiles, (profile) => options.endpoints(profile).length, plan.stages);
  population.add(options.places, options.joinMs);
  const engine = new Engine({
    floor,
    profiles,
    stages: plan.stages,
    drainMs: plan.drainMs,
    joinMs: options.joinMs,
    bytesLimit: options.limits.bytes,
    snapshots: new SnapshotTaker(floor, profiles, options.loop),
    onSnapshot: options.onSnapshot,
    onFinished: options.onFinished,
    onLimit: options.onLimit,
  });
  return {
    pump: engine.pump,
    add: (places, joinMs) => population.add(places, joinMs),
    adjust: (order) => {
      floor.enter();
      population.adjust(order, floor.nowMs);
      floor.leave();
    },
    stop: (mode) => engine.stop(mode),
  };
}
