import type { Failure } from '../../measure/failure.js';
import type { StreamControl, StreamListener } from '../channel.js';

/** Starts each stream it is offered, and writes down what is told of it. */
export class RecordingListener implements StreamListener {
  readonly resume: boolean;
  /** Updates, as they were on the wire. */
  readonly heard: string[] = [];
  /** Of subscriptions, in the order they came. */
  readonly outcomes: (Failure | undefined)[] = [];
  asked = 0;
  over = 0;
  stream: StreamControl | undefined;

  constructor(
    readonly uris: readonly string[],
    resume = false,
  ) {
    this.resume = resume;
  }

  get categories(): readonly (string | undefined)[] {
    return this.outcomes.map((failure) => failure?.category);
  }

  onReady(stream: StreamControl): void {
    this.stream = stream;
    stream.start();
  }
  onSubscribing(): void {
    this.asked++;
  }
  onSubscribed(_index: number, failure: Failure | undefined): void {
    this.outcomes.push(failure);
  }
  onUpdate(bytes: Buffer, start: number, end: number): void {
    this.heard.push(bytes.toString('utf8', start, end));
  }
  onSessionEnd(): void {
    this.over++;
  }
}
