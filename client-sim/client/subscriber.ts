import { readStamp } from '../mcp/stamp.js';
import { subscriptionUri } from '../mcp/subscription-uri.js';
import { cellAt } from '../measure/cells.js';
import type { Failure } from '../measure/failure.js';
import { LOST, OFFERED } from '../measure/series.js';
import type { StreamControl, StreamListener } from '../transport/stream/stream-listener.js';
import type { Backoff } from './backoff.js';
import type { Floor } from './floor.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { SequenceTracker } from './sequence-tracker.js';

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
    private readonly floor: Floor,
    private readonly profile: ProfileRuntime,
    slot: number,
    private readonly backoff: Backoff,
  ) {
    this.operations = profile.subscriptions;
    const plans = profile.plan.operations.filter(({ method }) => method === 'resources/subscribe');
    this.uris = plans.map((operation) => subscriptionUri(operation, { seed: floor.seed, slot }));
    this.resume = profile.plan.stream?.resume === true;
    floor.subscribers.push(this);
    this.enterStage();
  }

  /** A stage has begun: goes away or comes back, if that is what it says. */
  enterStage(): void {
    const away = this.profile.plan.stream?.away.includes(this.floor.stageName) === true;
    if (away === this.away) return;
    this.away = away;
    if (away) {
      this.backAtMs = -1;
      this.stream?.leave();
    } else {
      this.backAtMs = this.floor.nowMs;
      this.stream?.start();
    }
  }

  onReady(stream: StreamControl): void {
    this.stream = stream;
    if (!this.away) stream.start();
  }

  onSubscribing(index: number): void {
    const floor = this.floor;
    floor.enter();
    const series = floor.layout.base(floor.stage, this.profile.index) + (this.operations[index] ?? 0);
    this.asked.set(index, { series, atMs: floor.nowMs });
    floor.recorder.count(series, OFFERED);
    floor.recorder.sent(series, cellAt(0));
    floor.leave();
  }

  onSubscribed(index: number, failure: Failure | undefined): void {
    const asked = this.asked.get(index);
    if (asked === undefined) return;
    const floor = this.floor;
    floor.enter();
    this.asked.delete(index);
    const tookMs = floor.nowMs - asked.atMs;
    if (failure === undefined) {
      this.backoff.succeeded();
      floor.recorder.succeeded(asked.series, cellAt(tookMs), cellAt(tookMs), 0);
    } else {
      const operation = this.profile.operationName(floor.layout.place(asked.series).operation);
      floor.recorder.failed(asked.series, tookMs, failure, floor.nowMs, { profile: this.profile.plan.name, operation });
    }
    floor.leave();
  }

  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void {
    const floor = this.floor;
    floor.enter(nowMs);
    floor.lastHeardMs = floor.nowMs;
    this.backoff.succeeded();
    const stamp = readStamp(bytes, start, end);
    if (stamp !== undefined) this.delivered(stamp.publisher, stamp.number, floor.stampClock.since(stamp, floor.nowMs));
    floor.leave();
  }

  onOver(): void {
    this.stream = undefined;
    for (const [index, { series }] of [...this.asked]) {
      if (this.floor.running) {
        this.onSubscribed(index, {
          category: 'stream_lost',
          detail: 'the session ended before the subscription was taken',
        });
        continue;
      }
      this.asked.delete(index);
      this.floor.recorder.count(series, LOST);
    }
  }

  private delivered(publisher: number, number: number, age: { readonly ms: number; readonly errorUs: number }): void {
    const floor = this.floor;
    const { streams } = this.profile.counters;
    const flow = floor.flows.of(publisher);
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
    const group = floor.layout.group(floor.stage, this.profile.index);
    floor.recorder.delivered(group, age.ms, age.errorUs);
    // Heard of something published after it came back: what came before on the stream is all it had missed.
    if (this.backAtMs < 0 || floor.nowMs - age.ms < this.backAtMs) return;
    floor.recorder.caughtUp(group, floor.nowMs - this.backAtMs);
    this.backAtMs = -1;
  }
}
