import type { Failure } from '../../../client-sim/measure/failure.js';
import type { StreamControl, StreamListener } from '../../../client-sim/transport/channel.js';

/** Starts each stream it is offered, and records its events. */
export class RecordingListener implements StreamListener {
  /** Updates, as they were on the wire. */
  readonly updates: string[] = [];
  /** Outcomes of subscriptions, in the order they came. */
  readonly outcomes: (Failure | undefined)[] = [];
  requested = 0;
  ended = 0;
  stream: StreamControl | undefined;

  constructor(
    readonly uris: readonly string[],
    readonly resume = false,
  ) {}

  get categories(): readonly (string | undefined)[] {
    return this.outcomes.map((failure) => failure?.category);
  }

  onReady(stream: StreamControl): void {
    this.stream = stream;
    stream.start();
  }
  onSubscribing(): void {
    this.requested++;
  }
  onSubscribed(_index: number, failure: Failure | undefined): void {
    this.outcomes.push(failure);
  }
  onUpdate(bytes: Buffer, start: number, end: number): void {
    this.updates.push(bytes.toString('utf8', start, end));
  }
  onSessionEnd(): void {
    this.ended++;
  }
}
