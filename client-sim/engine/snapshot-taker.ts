import type { LoopMonitor } from '../measure/health/loop-monitor.js';
import type { ProfileGauges, Snapshot } from '../measure/snapshot.js';
import { addStreams, noStreams, type StreamCounts, streamsSince } from '../protocol/streams.js';
import type { WireCounters } from '../transport/channel.js';
import type { Population } from './population.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

type CumulativeCounters = Omit<WireCounters, 'connectionsActive' | 'backpressure' | 'streams'>;

/** Takes a snapshot of everything that one engine thread has counted since the last one. */
export class SnapshotTaker {
  private readonly wireBefore: CumulativeCounters[];
  private readonly streamsBefore: StreamCounts[];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly population: Population,
    private readonly loop: LoopMonitor,
  ) {
    this.wireBefore = population.profiles.map((profile) => cumulative(profile.counters));
    this.streamsBefore = population.profiles.map((profile) => ({ ...profile.counters.streams }));
  }

  /** Counts first what became due by `toMs`. */
  take(toMs: number, stage: number): Snapshot {
    const { profiles } = this.population;
    const queued = this.queued(toMs);
    const gauges = profiles.map((profile) => this.gauges(profile, queued[profile.index] ?? 0));
    for (const profile of profiles) this.addWire(profile, stage);
    return {
      toMs,
      stage,
      ...this.scheduler.recorder.take(),
      flows: this.scheduler.flows.take(),
      outcomes: this.scheduler.outcomes?.take(),
      gauges,
      loop: this.loop.take(),
      own: this.scheduler.own.take(),
      gaps: this.scheduler.own.gaps.take(),
    };
  }

  /** Operations that are due and not sent, by profile. */
  private queued(toMs: number): number[] {
    const queued = this.population.profiles.map(() => 0);
    const limitMs = Math.min(toMs, this.scheduler.stageLimitMs);
    if (!this.scheduler.running) return queued;
    for (const client of this.population.clients) {
      queued[client.profile.index] = (queued[client.profile.index] ?? 0) + client.arrivals.offerDue(limitMs);
    }
    return queued;
  }

  private gauges(profile: ProfileRuntime, queued: number): ProfileGauges {
    let sessions = 0;
    let inFlight = 0;
    for (const sessionSlot of this.population.sessionSlots) {
      if (sessionSlot.profile !== profile) continue;
      if (sessionSlot.hasSession) sessions++;
      inFlight += sessionSlot.inFlight;
    }
    return {
      profile: profile.index,
      clients: this.scheduler.activeClients[profile.index] ?? 0,
      sessions,
      connections: profile.counters.connectionsActive,
      inFlight,
      queued,
    };
  }

  private addWire(profile: ProfileRuntime, stage: number): void {
    const before = this.wireBefore[profile.index];
    const after = cumulative(profile.counters);
    this.wireBefore[profile.index] = after;
    if (before === undefined) return;
    const delta = { ...after };
    let any = 0;
    for (const name of Object.keys(delta) as (keyof CumulativeCounters)[]) {
      delta[name] -= before[name];
      any += delta[name];
    }
    this.addStreams(profile, stage);
    if (any > 0) this.scheduler.recorder.recordWire(this.scheduler.layout.group(stage, profile.index), delta);
  }

  private addStreams(profile: ProfileRuntime, stage: number): void {
    const now = { ...profile.counters.streams };
    const delta = streamsSince(now, this.streamsBefore[profile.index] ?? noStreams());
    this.streamsBefore[profile.index] = now;
    if (addStreams(noStreams(), delta))
      addStreams(this.scheduler.recorder.sessionRow(this.scheduler.layout.group(stage, profile.index)).streams, delta);
  }
}

function cumulative(counters: WireCounters): CumulativeCounters {
  const { bytesSent, bytesReceived, messagesSent, messagesReceived, connectionsOpened, lateAnswers } = counters;
  return { bytesSent, bytesReceived, messagesSent, messagesReceived, connectionsOpened, lateAnswers };
}
