import { setTimeout as sleep } from 'node:timers/promises';

interface PollOptions<Result> {
  readonly everyMs: number;
  /** From the first look on. */
  readonly withinMs: number;
  /** What to throw when the time is over. */
  readonly late: (last: Result) => Error;
}
