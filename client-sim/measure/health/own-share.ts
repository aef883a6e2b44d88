import { openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { OwnTimeReport } from '../../protocol/telemetry.js';
import { ArrivalGaps } from '../arrival-gaps.js';

/**
 * What the kernel and libuv say about the calling thread. Milliseconds, all counted from some fixed moment.
 */
export interface ThreadClocks {
  /** How long its event loop has slept in all; undefined where it is not counted. */
  readonly idleMs: (() => number) | undefined;
  /** How many turns its event loop has made; undefined where they are not counted. */
  readonly turns: (() => number) | undefined;
  /** Reads how long it has waited for a processor, and how long it has had one; undefined where that is not counted. */
  readonly readSchedule: ((into: Schedule) => void) | undefined;
}

interface Schedule {
  onProcessorMs: number;
  waitedMs: number;
}

/** A sleep is at most as long as the 1 ms timer of the pacer lets it be, which fires within 2 ms. */
const LONGEST_SLEEP_MS = 2.5;
/** After a shorter sleep the run queue is not asked: the whole sleep counts as ours. Its question costs 1.1 us. */
const SHORTEST_SLEEP_MS = 0.1;

/**
 * Bounds how long answers lay in the kernel before this thread read them: what is read now became readable after
 * `sinceMs`.
 *
 * libuv polls with timeout 0 first, and counts idle time only when that found nothing. So when idle time has grown
 * since the last mark, nothing was readable when the thread fell asleep, and the answers came between then and now. An
 * answer wakes the thread at once; from there on it waits for a processor, and the kernel counts that (Linux:
 * `schedstat`). Hence an answer came no earlier than `mark + slept - waited`. `own-share.test.ts` holds libuv to it.
 *
 * All times are `performance.now()`. Hot path: one reading of the idle clock for each turn (25 ns).
 */
export class OwnShare {
  /** What is read in this turn became readable after this. */
  sinceMs: number;
  /** An older moment for the socket that is being read: it was paused, or the read before left something behind. */
  socketSinceMs = Infinity;
  /**
   * How long in all it has not looked at its sockets, up to `sinceMs`, counting only what was longer than a sleep may
   * be. What waited for several answers one after the other may have been held up by us for so long.
   */
  blindMs = 0;
  /** False where no idle clock is counted: then nothing is known of late reading. */
  readonly known: boolean;

  readonly gaps = new ArrivalGaps();
  private sent = 0;
  private moved = 0;
  private outSumMs = 0;
  private outMaxMs = 0;
  private answered = 0;
  private inSumMs = 0;
  private inMaxMs = 0;
  /** The latest moment of our own code that lies before the next poll. */
  private markMs: number;
  /** The end of the latest beat. */
  private beatMs: number;
  private idleMs = 0;
  private turn = 0;
  private waitedMs = 0;
  private stoppedAsleepMs = 0;
  private readonly schedule: Schedule = { onProcessorMs: 0, waitedMs: 0 };
  private taken: { atMs: number; idleMs: number; onProcessorMs: number; waitedMs: number };

  /** To be made by the thread that reads the sockets. */
  constructor(
    private readonly clocks: ThreadClocks = threadClocks(),
    private readonly now: () => number = () => performance.now(),
  ) {
    this.known = clocks.idleMs !== undefined;
    this.sinceMs = this.markMs = this.beatMs = now();
    this.idleMs = clocks.idleMs?.() ?? 0;
    this.turn = clocks.turns?.() ?? 0;
    clocks.readSchedule?.(this.schedule);
    this.waitedMs = this.schedule.waitedMs;
    this.taken = { atMs: this.sinceMs, idleMs: this.idleMs, ...this.schedule };
  }

  /** At the begin of everything that the event loop calls. @param nowMs a reading of the clock within this call */
  enter(nowMs: number): void {
    const idleMs = this.clocks.idleMs?.() ?? 0;
    // Unchanged: the same turn, or one that did not sleep. What was true of the reads before is true of these.
    if (idleMs !== this.idleMs) this.wake(idleMs);
    this.markMs = nowMs;
  }

  /** Our own code still runs, and no poll comes before this. @param nowMs a reading of the clock */
  mark(nowMs: number): void {
    this.markMs = nowMs;
  }

  /**
   * At the end of a timer or an immediate that comes in nearly every turn: a poll lies between it and the next one,
   * unless both come in the same turn, as a late timer does. This bounds threads that never sleep.
   */
  beat(nowMs: number): void {
    if (this.clocks.turns === undefined) return;
    const turn = this.clocks.turns();
    if (turn !== this.turn) this.looked(this.beatMs, this.beatMs);
    this.turn = turn;
    this.beatMs = this.markMs = nowMs;
  }

  /**
   * Operations left so long after they could have been sent, in all and at most.
   * @param moved how many of them left in another tenth of a second than planned
   */
  addOut(count: number, sumMs: number, maxMs: number, moved: number): void {
    this.sent += count;
    this.moved += moved;
    this.outSumMs += sumMs;
    if (maxMs > this.outMaxMs) this.outMaxMs = maxMs;
  }

  /** So many answers may have lain unread for so long. */
  addIn(count: number, ms: number): void {
    this.answered += count;
    this.inSumMs += count * ms;
    if (ms > this.inMaxMs) this.inMaxMs = ms;
  }

  /** @returns everything since the last call; undefined where nothing is known */
  take(): OwnTimeReport | undefined {
    if (!this.known) return undefined;
    const atMs = this.now();
    const idleMs = this.clocks.idleMs?.() ?? 0;
    const { schedule, taken: before, stoppedAsleepMs } = this;
    const { readSchedule } = this.clocks;
    readSchedule?.(schedule);
    const elapsedMs = Math.max(0, atMs - before.atMs);
    const onProcessorMs = Math.max(0, schedule.onProcessorMs - before.onProcessorMs);
    const waitedMs = Math.max(0, schedule.waitedMs - before.waitedMs);
    // Awake it either has a processor or waits for one. What is left of the time awake, it was stopped.
    const stoppedAwakeMs =
      readSchedule === undefined ? 0 : elapsedMs - (idleMs - before.idleMs) - onProcessorMs - waitedMs;
    const { sent, moved, outSumMs, outMaxMs, answered, inSumMs, inMaxMs } = this;
    this.taken = { atMs, idleMs, ...schedule };
    this.sent = this.moved = this.answered = 0;
    this.outSumMs = this.outMaxMs = this.inSumMs = this.inMaxMs = this.stoppedAsleepMs = 0;
    const taken = { sent, moved, outSumMs, outMaxMs, answered, inSumMs, inMaxMs, elapsedMs };
    if (readSchedule === undefined) return taken;
    return { ...taken, onProcessorMs, waitedMs, stoppedMs: stoppedAsleepMs + Math.max(0, stoppedAwakeMs) };
  }

  private wake(idleMs: number): void {
    const sleptMs = idleMs - this.idleMs;
    this.idleMs = idleMs;
    let asleepMs = 0;
    const { readSchedule } = this.clocks;
    if (sleptMs >= SHORTEST_SLEEP_MS && readSchedule !== undefined) {
      readSchedule(this.schedule);
      // The wait is counted from before the mark on: too much of it rather than too little.
      asleepMs = sleptMs - (this.schedule.waitedMs - this.waitedMs);
      this.waitedMs = this.schedule.waitedMs;
    }
    if (asleepMs > LONGEST_SLEEP_MS) {
      // No timer lets it sleep so long: it was stopped, and the answers may have come at any time of that.
      this.stoppedAsleepMs += asleepMs - 1;
      asleepMs = 0;
    }
    this.looked(this.markMs, this.markMs + Math.max(0, asleepMs));
  }

  /** Its sockets were polled after `fromMs`, and what is read now became readable after `sinceMs`. */
  private looked(fromMs: number, sinceMs: number): void {
    if (sinceMs <= this.sinceMs) return;
    const blindMs = fromMs - this.sinceMs;
    if (blindMs > LONGEST_SLEEP_MS) this.blindMs += blindMs;
    this.sinceMs = sinceMs;
  }
}

/** The own time of two threads in the same interval. */
export function addOwnTime(sum: OwnTimeReport | undefined, one: OwnTimeReport): OwnTimeReport {
  if (sum === undefined) return one;
  const { onProcessorMs, waitedMs, stoppedMs } = one;
  return {
    sent: sum.sent + one.sent,
    moved: (sum.moved ?? 0) + (one.moved ?? 0),
    outSumMs: sum.outSumMs + one.outSumMs,
    outMaxMs: Math.max(sum.outMaxMs, one.outMaxMs),
    answered: sum.answered + one.answered,
    inSumMs: sum.inSumMs + one.inSumMs,
    inMaxMs: Math.max(sum.inMaxMs, one.inMaxMs),
    elapsedMs: Math.max(sum.elapsedMs, one.elapsedMs),
    ...(onProcessorMs === undefined ? {} : { onProcessorMs: Math.max(sum.onProcessorMs ?? 0, onProcessorMs) }),
    ...(waitedMs === undefined ? {} : { waitedMs: Math.max(sum.waitedMs ?? 0, waitedMs) }),
    ...(stoppedMs === undefined ? {} : { stoppedMs: Math.max(sum.stoppedMs ?? 0, stoppedMs) }),
  };
}

/** The clocks of the calling thread. */
export function threadClocks(): ThreadClocks {
  const timing = performance.nodeTiming as typeof performance.nodeTiming & {
    /** Node 20.18 and 22.8 have it. */
    readonly uvMetricsInfo?: { readonly loopCount: number };
  };
  return {
    idleMs: Number.isFinite(timing.idleTime) ? () => timing.idleTime : undefined,
    turns: timing.uvMetricsInfo === undefined ? undefined : () => timing.uvMetricsInfo?.loopCount ?? 0,
    readSchedule: scheduleReader(),
  };
}

/** `/proc/thread-self/schedstat`: nanoseconds with a processor, nanoseconds in the run queue, number of slices. */
function scheduleReader(): ThreadClocks['readSchedule'] {
  let file: number;
  try {
    file = openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return undefined;
  }
  const text = Buffer.alloc(64);
  // Not by a regular expression: this runs up to a thousand times a second.
  const read = (into: Schedule): void => {
    const end = readSync(file, text, 0, 64, 0);
    let at = 0;
    let ns = 0;
    for (; at < end && text[at] !== SPACE; at++) ns = ns * 10 + (text[at] as number) - ZERO;
    into.onProcessorMs = ns / 1e6;
    for (ns = 0, at++; at < end && text[at] !== SPACE; at++) ns = ns * 10 + (text[at] as number) - ZERO;
    into.waitedMs = ns / 1e6;
  };
  const first: Schedule = { onProcessorMs: 0, waitedMs: 0 };
  read(first);
  // All zeros: this kernel has the file and does not count.
  return first.onProcessorMs > 0 ? read : undefined;
}

const SPACE = 0x20;
const ZERO = 0x30;
