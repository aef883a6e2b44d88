import { subscriptionUri } from '../mcp/compile-request.js';
import { readStamp } from '../mcp/stamp.js';
import { cellAt } from '../measure/duration-histogram.js';
import type { Failure } from '../measure/failure.js';
import { LOST, OFFERED } from '../measure/series.js';
import type { StreamControl, StreamListener } from '../transport/channel.js';
import type { Backoff } from './backoff.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

interface Asked {
  /** Series the subscription was counted in when it was asked for; its end belongs there too. */
  readonly series: number;
  readonly atMs: number;
}

/**
 * One virtual client as a listener: what it subscribes to, what it has heard, when it is away. It outlives the sessions
 * of its client, so what is missed between two of them is missed.
 */
export class Subscriber implements StreamListener {
  readonly uris: readonly string[];
  readonly resume: boolean;
  /** Operation numbers of the subscriptions, in the order of `uris`. */
  private readonly operations: readonly number[];
  private readonly asked = new Map<number, Asked>();
  private readonly publishers = new Map<number, SequenceTracker>();
  private stream: StreamControl | undefined;
  private away = false;
  /** Came back at this run time and has not caught up; -1: nothing to catch up with. */
  private backAtMs = -1;

  /** @param backoff of the sessions of its client: what it hears shows that they can be had */
  constructor(
    private readonly scheduler: Scheduler,
    private readonly profile: ProfileRuntime,
    slot: number,
    private readonly backoff: Backoff,
  ) {
    this.operations = profile.subscriptions;
    const plans = profile.plan.operations.filter(({ method }) => method === 'resources/subscribe');
    this.uris = plans.map((operation) => subscriptionUri(operation, { seed: scheduler.seed, slot }));
    this.resume = profile.plan.stream?.resume === true;
    scheduler.subscribers.push(this);
    this.enterStage();
  }

  /** A stage has begun: goes away or comes back, if that is what it says. */
  enterStage(): void {
    const away = this.profile.plan.stream?.away.includes(this.scheduler.stageName) === true;
    if (away === this.away) return;
    this.away = away;
    if (away) {
      this.backAtMs = -1;
      this.stream?.leave();
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
    this.asked.set(index, { series, atMs: scheduler.nowMs });
    scheduler.recorder.count(series, OFFERED);
    scheduler.recorder.sent(series, cellAt(0));
    scheduler.endTurn();
  }

  onSubscribed(index: number, failure: Failure | undefined): void {
    const asked = this.asked.get(index);
    if (asked === undefined) return;
    const scheduler = this.scheduler;
    scheduler.beginTurn();
    this.asked.delete(index);
    const tookMs = scheduler.nowMs - asked.atMs;
    if (failure === undefined) {
      this.backoff.succeeded();
      scheduler.recorder.succeeded(asked.series, cellAt(tookMs), cellAt(tookMs), 0);
    } else {
      const operation = this.profile.operationName(scheduler.layout.place(asked.series).operation);
      scheduler.recorder.failed(asked.series, tookMs, failure, scheduler.nowMs, {
        profile: this.profile.plan.name,
        operation,
      });
    }
    scheduler.endTurn();
  }

  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const scheduler = this.scheduler;
    scheduler.beginTurn(nowMs);
    scheduler.lastHeardMs = scheduler.nowMs;
    this.backoff.succeeded();
    const stamp = readStamp(bytes, start, end);
    if (stamp !== undefined)
      this.delivered(stamp.publisher, stamp.number, scheduler.stampClock.since(stamp, scheduler.nowMs));
    scheduler.endTurn();
  }

  onOver(): void {
    this.stream = undefined;
    for (const [index, { series }] of [...this.asked]) {
      if (this.scheduler.running) {
        this.onSubscribed(index, {
          category: 'stream_lost',
          detail: 'the session ended before the subscription was taken',
        });
        continue;
      }
      this.asked.delete(index);
      this.scheduler.recorder.count(series, LOST);
    }
  }

  private delivered(publisher: number, number: number, age: { readonly ms: number; readonly errorUs: number }): void {
    const scheduler = this.scheduler;
    const { streams } = this.profile.counters;
    const flow = scheduler.flows.of(publisher);
    let tracker = this.publishers.get(publisher);
    if (tracker === undefined) this.publishers.set(publisher, (tracker = new SequenceTracker()));
    switch (tracker.hear(number)) {
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
    scheduler.recorder.delivered(group, age.ms, age.errorUs);
    // Heard of something published after it came back: what came before on the stream is all it had missed.
    if (this.backAtMs < 0 || scheduler.nowMs - age.ms < this.backAtMs) return;
    scheduler.recorder.caughtUp(group, scheduler.nowMs - this.backAtMs);
    this.backAtMs = -1;
  }
}

type Arrival = 'first' | 'next' | 'late' | 'duplicate';

/** Gaps kept; a number of one older than these that comes after all is taken for a duplicate. */
const MOST_GAPS = 4_096;

/** One publisher's numbers as one subscriber hears them. Memory goes with the gaps, not with the numbers. */
export class SequenceTracker {
  /** Everything from here on is still to come. */
  private next = -1;
  /** Numbers below `#next` not yet heard: from, to (exclusive), in order. */
  private readonly gaps: { from: number; to: number }[] = [];

  hear(number: number): Arrival {
    if (this.next < 0) {
      this.next = number + 1;
      return 'first';
    }
    if (number >= this.next) {
      if (number > this.next) this.miss(this.next, number);
      this.next = number + 1;
      return 'next';
    }
    return this.fill(number) ? 'late' : 'duplicate';
  }

  private miss(from: number, to: number): void {
    this.gaps.push({ from, to });
    if (this.gaps.length > MOST_GAPS) this.gaps.shift();
  }

  private fill(number: number): boolean {
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
