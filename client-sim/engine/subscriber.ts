import { subscriptionUri } from '../mcp/compile-request.js';
import { readStamp } from '../mcp/stamp.js';
import { cellAt } from '../measure/duration-histogram.js';
import type { Failure } from '../measure/failure.js';
import { LOST, OFFERED } from '../measure/series.js';
import type { StreamControl, StreamListener } from '../transport/channel.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import type { SessionBackoff } from './session-backoff.js';

/** A subscription that was requested and not yet answered. */
interface Pending {
  /** Series in which the request was counted; its outcome is counted there too. */
  readonly series: number;
  readonly atMs: number;
}

/**
 * One virtual client as a listener: its subscriptions, the updates it has received, and the stages in which it is away.
 * It outlives the sessions of its client, so an update that comes between two sessions is missed.
 */
export class Subscriber implements StreamListener {
  readonly uris: readonly string[];
  readonly resume: boolean;
  /** Operation numbers of the subscriptions, in the order of `uris`. */
  private readonly operations: readonly number[];
  /** By index in `uris`. */
  private readonly pending = new Map<number, Pending>();
  private readonly publishers = new Map<number, SequenceTracker>();
  private stream: StreamControl | undefined;
  private away = false;
  /** Run time at which it came back, until it has caught up; -1: it has nothing to catch up on. */
  private backAtMs = -1;

  /** @param backoff of its client's sessions: an update or a confirmed subscription shows that sessions can be had */
  constructor(
    private readonly scheduler: Scheduler,
    private readonly profile: ProfileRuntime,
    slot: number,
    private readonly backoff: SessionBackoff,
  ) {
    this.operations = profile.subscriptions;
    const plans = profile.plan.operations.filter(({ method }) => method === 'resources/subscribe');
    this.uris = plans.map((operation) => subscriptionUri(operation, { seed: scheduler.seed, slot }));
    this.resume = profile.plan.stream?.resume === true;
    this.enterStage();
  }

  /** A stage has begun: goes away or comes back, if the plan says so. */
  enterStage(): void {
    const away = this.profile.plan.stream?.away.includes(this.scheduler.stageName) === true;
    if (away === this.away) return;
    this.away = away;
    if (away) {
      this.backAtMs = -1;
      this.stream?.pause();
    } else {
      this.backAtMs = this.scheduler.nowMs;
      this.stream?.start();
    }
  }

  onReady(stream: StreamControl): void {
    this.stream = stream;
    if (!this.away) stream.start();
  }

  onSubscribing(index: number): void {
    const scheduler = this.scheduler;
    scheduler.beginTurn();
    const series = scheduler.layout.base(scheduler.stage, this.profile.index) + (this.operations[index] ?? 0);
    this.pending.set(index, { series, atMs: scheduler.nowMs });
    scheduler.recorder.count(series, OFFERED);
    scheduler.recorder.recordSent(series, cellAt(0));
    scheduler.endTurn();
  }

  onSubscribed(index: number, failure: Failure | undefined): void {
    const pending = this.pending.get(index);
    if (pending === undefined) return;
    const scheduler = this.scheduler;
    scheduler.beginTurn();
    this.pending.delete(index);
    const tookMs = scheduler.nowMs - pending.atMs;
    if (failure === undefined) {
      this.backoff.succeeded();
      scheduler.recorder.recordSucceeded(pending.series, cellAt(tookMs), cellAt(tookMs), 0);
      if (this.profile.ownShareKnown) {
        const floor = cellAt(Math.max(0, scheduler.sinceMs - pending.atMs));
        scheduler.recorder.recordFloor(pending.series, floor, 0);
      }
    } else {
      const operation = this.profile.operationName(scheduler.layout.place(pending.series).operation);
      scheduler.recorder.recordFailed(pending.series, tookMs, failure, scheduler.nowMs, {
        profile: this.profile.plan.name,
        operation,
      });
    }
    scheduler.endTurn();
  }

  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const scheduler = this.scheduler;
    scheduler.beginTurn(nowMs);
    scheduler.lastUpdateMs = scheduler.nowMs;
    this.backoff.succeeded();
    const stamp = readStamp(bytes, start, end);
    if (stamp !== undefined)
      this.delivered(stamp.publisher, stamp.number, scheduler.publicationClock.since(stamp, scheduler.nowMs));
    scheduler.endTurn();
  }

  onSessionEnd(): void {
    this.stream = undefined;
    for (const [index, { series }] of [...this.pending]) {
      if (this.scheduler.running) {
        this.onSubscribed(index, {
          category: 'stream_lost',
          detail: 'the session ended before the subscription was confirmed',
        });
        continue;
      }
      this.pending.delete(index);
      this.scheduler.recorder.count(series, LOST);
    }
  }

  private delivered(publisher: number, number: number, age: { readonly ms: number; readonly errorUs: number }): void {
    const scheduler = this.scheduler;
    const { streams } = this.profile.counters;
    const flow = scheduler.flows.of(publisher);
    let tracker = this.publishers.get(publisher);
    if (tracker === undefined) {
      tracker = new SequenceTracker();
      this.publishers.set(publisher, tracker);
    }
    switch (tracker.receive(number)) {
      case 'duplicate':
        streams.duplicated++;
        return;
      case 'first':
        flow.subscribers++;
        flow.before += number;
        break;
      case 'late':
        streams.outOfOrder++;
        break;
      case 'next':
        break;
    }
    streams.delivered++;
    flow.delivered++;
    const group = scheduler.layout.group(scheduler.stage, this.profile.index);
    scheduler.recorder.recordDelivered(group, age.ms, age.errorUs);
    // This was published after it came back, so everything it had missed came before this on the stream.
    if (this.backAtMs < 0 || scheduler.nowMs - age.ms < this.backAtMs) return;
    scheduler.recorder.recordCaughtUp(group, scheduler.nowMs - this.backAtMs);
    this.backAtMs = -1;
  }
}

type Arrival = 'first' | 'next' | 'late' | 'duplicate';

/** Gaps kept. A late number from a gap that was dropped is taken for a duplicate. */
const MAX_GAPS = 4_096;

/** The sequence numbers of one publisher as one subscriber receives them. Its memory grows with the gaps only. */
export class SequenceTracker {
  /** All numbers from here on are still to come. */
  private next = -1;
  /** Numbers below `next` that have not come yet: from, to (exclusive), in order. */
  private readonly gaps: { from: number; to: number }[] = [];

  receive(number: number): Arrival {
    if (this.next < 0) {
      this.next = number + 1;
      return 'first';
    }
    if (number >= this.next) {
      if (number > this.next) this.addGap(this.next, number);
      this.next = number + 1;
      return 'next';
    }
    return this.fillGap(number) ? 'late' : 'duplicate';
  }

  private addGap(from: number, to: number): void {
    this.gaps.push({ from, to });
    if (this.gaps.length > MAX_GAPS) this.gaps.shift();
  }

  private fillGap(number: number): boolean {
    const at = this.gaps.findLastIndex(({ from, to }) => number >= from && number < to);
    const gap = this.gaps[at];
    if (gap === undefined) return false;
    const rest = [
      { from: gap.from, to: number },
      { from: number + 1, to: gap.to },
    ].filter(({ from, to }) => from < to);
    this.gaps.splice(at, 1, ...rest);
    return true;
  }
}
