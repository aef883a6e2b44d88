import { type Flow, noStreams, type StreamCounts } from '../protocol/streams.js';
import type { ErrorSample, OwnTimeReport } from '../protocol/telemetry.js';
import type { GapCells } from './arrival-gaps.js';
import type { DurationHistogram } from './duration-histogram.js';
import type { OutcomeRows } from './outcome-bins.js';
import { COUNTERS } from './series.js';

/** The measurements of one engine thread in one interval, in a form that is cheap to send to the main thread. */
export interface Snapshot {
  /** Run time at which the interval ended. */
  readonly toMs: number;
  /** The stage in which the interval ended; at the end of a stage, that one. */
  readonly stage: number;
  /** Rows of `[series, ...COUNTERS]`; only series that counted something. Transferred, not copied. */
  readonly counters: Uint32Array<ArrayBuffer>;
  /** Runs of `[histogram, n, n x (cell, count)]`. Transferred, not copied. */
  readonly cells: Uint32Array<ArrayBuffer>;
  readonly errors: readonly ErrorCount[];
  readonly sessions: readonly SessionRow[];
  readonly replicas: readonly ReplicaRow[];
  /** By the thread's own numbers; needed for the histograms of replicas among the cells. */
  readonly replicaNames: readonly string[];
  readonly gauges: readonly ProfileGauges[];
  readonly samples: readonly ErrorSample[];
  readonly flows: readonly Flow[];
  /** Undefined: nothing that ended was due around a fault. */
  readonly outcomes: OutcomeRows | undefined;
  readonly loop: LoopHealth;
  /** Undefined where it cannot be known. */
  readonly own: OwnTimeReport | undefined;
  /** Undefined when nothing left that a schedule plans. */
  readonly gaps: GapCells | undefined;
}

export interface ErrorCount {
  readonly series: number;
  readonly category: string;
  readonly count: number;
}

/** Counts of one (stage, profile) over the interval. */
export interface SessionRow {
  readonly group: number;
  sessionsOpened: number;
  sessionsClosed: number;
  sessionsLost: number;
  sessionsAnswered: number;
  connectionsOpened: number;
  messagesSent: number;
  messagesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  lateAnswers: number;
  readonly connectFailures: Record<string, number>;
  /** By `misbehaviourKey`. */
  readonly misbehaved: Record<string, number>;
  readonly streams: StreamCounts;
  /** By how much the clocks of publisher and subscriber differed at most, for the values in `delivery`. */
  clockErrorUs: number;
}

export function emptySession(group: number): SessionRow {
  return {
    group,
    sessionsOpened: 0,
    sessionsClosed: 0,
    sessionsLost: 0,
    sessionsAnswered: 0,
    connectionsOpened: 0,
    messagesSent: 0,
    messagesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    lateAnswers: 0,
    connectFailures: {},
    misbehaved: {},
    streams: noStreams(),
    clockErrorUs: 0,
  };
}

export const REPLICA_COUNTS = ['succeeded', 'failed', 'sessions', 'opened', 'moved', 'moves', 'unknown'] as const;

/** Counts of one (stage, profile, replica) over the interval. */
export type ReplicaRow = { readonly group: number; readonly replica: string } & Record<
  (typeof REPLICA_COUNTS)[number],
  number
>;

export function emptyReplica(group: number, replica: string): ReplicaRow {
  return { group, replica, succeeded: 0, failed: 0, sessions: 0, opened: 0, moved: 0, moves: 0, unknown: 0 };
}

/** The gauges of one profile at the end of the interval. */
export interface ProfileGauges {
  readonly profile: number;
  readonly clients: number;
  readonly sessions: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly queued: number;
}

/** The event loop of the engine thread over the interval. */
export interface LoopHealth {
  /** Share of the interval in which it was not idle; this includes waiting for a processor. */
  readonly utilization: number;
  readonly delayP99Ms: number;
  /** Share of the interval in which the thread was ready to run and had no processor; undefined: not known. */
  readonly processorWait: number | undefined;
}

export const COUNTER_ROW = COUNTERS.length + 1;

export function transferables(snapshot: Snapshot): readonly ArrayBuffer[] {
  return [snapshot.counters.buffer, snapshot.cells.buffer];
}

/** A growing list of 32-bit numbers in one buffer. */
export class NumberList {
  private numbers = new Uint32Array(1024);
  private _length = 0;

  get length(): number {
    return this._length;
  }

  push(value: number): void {
    if (this._length === this.numbers.length) {
      const grown = new Uint32Array(this.numbers.length * 2);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers[this._length++] = value;
  }

  set(index: number, value: number): void {
    this.numbers[index] = value;
  }

  /** Returns the numbers so far in a buffer of their own and empties the list. */
  take(): Uint32Array<ArrayBuffer> {
    const taken = this.numbers.slice(0, this._length);
    this._length = 0;
    return taken;
  }
}

/** Adds one run of `[histogram, n, n x (cell, count)]` and clears the cells. */
export function pushCells(runs: NumberList, histogram: number, cells: DurationHistogram): void {
  runs.push(histogram);
  const lengthAt = runs.length;
  runs.push(0);
  let length = 0;
  cells.drain((cell, count) => {
    runs.push(cell);
    runs.push(count);
    length++;
  });
  runs.set(lengthAt, length);
}
