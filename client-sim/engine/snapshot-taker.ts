import type { LoopMonitor } from '../measure/loop-monitor.js';
import type { ProfileGauges, Snapshot } from '../measure/snapshot.js';
import { addStreams, noStreams, type StreamCounts, streamsSince } from '../protocol/streams.js';
import type { WireCounters } from '../transport/channel.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

type Cumulative = Omit<WireCounters, 'connectionsActive' | 'backpressure' | 'streams'>;

/** Reads everything one engine thread counted since the last reading. */
export class SnapshotTaker {
  private readonly before: Cumulative[];
  private readonly streamsBefore: StreamCounts[];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly profiles: readonly ProfileRuntime[],
    private readonly loop: LoopMonitor,
  ) {
    this.before = profiles.map((profile) => cumulative(profile.counters));
    this.streamsBefore = profiles.map((profile) => ({ ...profile.counters.streams }));
  }

  /** What became due by `toMs` is counted first. */
  take(toMs: number, stage: number): Snapshot {
    const queued = this.account(toMs);
    const gauges = this.profiles.map((profile) => this.gauges(profile, queued[profile.index] ?? 0));
    this.profiles.forEach((profile) => this.addWire(profile, stage));
    return {
      toMs,
      stage,
      ...this.scheduler.recorder.take(),
      flows: this.scheduler.flows.take(),
      gauges,
      loop: this.loop.take(),
    };
  }

  private account(toMs: number): number[] {
    const queued = this.profiles.map(() => 0);
    const limitMs = Math.min(toMs, this.scheduler.stageLimitMs);
    if (!this.scheduler.running) return queued;
    for (const client of this.scheduler.clients) {
      queued[client.profile.index] = (queued[client.profile.index] ?? 0) + client.arrivals.account(limitMs);
    }
    return queued;
  }

  private gauges(profile: ProfileRuntime, queued: number): ProfileGauges {
    let sessions = 0;
    let inFlight = 0;
    for (const sessionSlot of this.scheduler.sessionSlots) {
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
    const before = this.before[profile.index];
    const after = cumulative(profile.counters);
    this.before[profile.index] = after;
    if (before === undefined) return;
    const delta = { ...after };
    let any = 0;
    for (const name of Object.keys(delta) as (keyof Cumulative)[]) any += delta[name] -= before[name];
    this.addStreams(profile, stage);
    if (any > 0) this.scheduler.recorder.wire(this.scheduler.layout.group(stage, profile.index), delta);
  }

  private addStreams(profile: ProfileRuntime, stage: number): void {
    const now = { ...profile.counters.streams };
    const delta = streamsSince(now, this.streamsBefore[profile.index] ?? noStreams());
    this.streamsBefore[profile.index] = now;
    if (addStreams(noStreams(), delta))
      addStreams(this.scheduler.recorder.session(this.scheduler.layout.group(stage, profile.index)).streams, delta);
  }
}

function cumulative(counters: WireCounters): Cumulative {
  const { bytesSent, bytesReceived, messagesSent, messagesReceived, connectionsOpened, lateAnswers } = counters;
  return { bytesSent, bytesReceived, messagesSent, messagesReceived, connectionsOpened, lateAnswers };
}
