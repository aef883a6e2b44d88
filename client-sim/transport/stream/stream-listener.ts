import type { Failure } from '../../measure/failure.js';

/** A session's stream, as whoever listens on it handles it. */
export interface StreamControl {
  /** Opens the stream; nothing where it is open already or its session is over. */
  start(): void;
  /** Closes it, to be started again: session, subscriptions and the id of the last event are kept. */
  leave(): void;
}

/** Hears what a server says by itself on the stream of one session, and of the next one when that ends. */
export interface StreamListener {
  /** What to subscribe to. */
  readonly uris: readonly string[];
  /** Whether a stream opened again asks for what it missed. */
  readonly resume: boolean;
  /** The session is open; `stream` is its stream until `onOver`. */
  onReady(stream: StreamControl): void;
  /** The subscription to `uris[index]` is asked for now; ends in `onSubscribed` or with `onOver`. */
  onSubscribing(index: number): void;
  /** @param failure undefined: from now on the server tells of it */
  onSubscribed(index: number, failure: Failure | undefined): void;
  /**
   * `notifications/resources/updated`, bytes valid only during the call.
   * @param nowMs when it was read
   */
  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void;
  /** The session has ended, and with it whatever was asked for. */
  onOver(): void;
}
