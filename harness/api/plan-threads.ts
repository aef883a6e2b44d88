import { Worker } from 'node:worker_threads';
import type { Plan } from '../../scenarios/schema/plan.js';
import { messageOf } from '../support/error-message.js';
import { ApiError } from './errors.js';
import type { PlanAnswer, PlanQuestion } from './plan-thread.js';
import type { RunRequest } from './run-request.js';

/** More requests than this at once are refused. */
const MOST_WAITING = 16;
/** A plan that takes longer is given up. */
const LONGEST_MS = 60_000;
const HEAP_MB = 512;

/**
 * Makes the plans of requests, each in a thread of its own, one after the other: a request may hold half a megabyte of
 * scenario, and meanwhile the workers of a run must be heard.
 */
export class PlanThreads {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @throws ApiError INVALID_SCENARIO with the problems in `details`; BUSY */
  async make(request: RunRequest, allowTargets: readonly string[]): Promise<Plan> {
    if (this.waiting >= MOST_WAITING)
      throw new ApiError(503, 'BUSY', `${MOST_WAITING} other scenarios are being read`, 'Send it again in a moment.');
    this.waiting += 1;
    const answer = this.last.then(() => ask({ request, allowTargets }));
    this.last = answer.catch(() => undefined).then(() => (this.waiting -= 1));
    const made = await answer;
    if (made.ok) return made.plan;
    const { status, code, message, hint, details } = made.refusal;
    throw new ApiError(status, code, message, hint, details);
  }
}

function ask(question: PlanQuestion): Promise<PlanAnswer> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./plan-thread.js', import.meta.url), {
      workerData: question,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    const giveUp = (why: string): void => {
      void thread.terminate();
      reject(new ApiError(422, 'INVALID_SCENARIO', `no plan can be made of the scenario: ${why}`, 'Make it smaller.'));
    };
    const timer = setTimeout(() => giveUp(`it took longer than ${LONGEST_MS / 1000} s`), LONGEST_MS);
    thread.once('message', resolve);
    thread.once('error', (error) => giveUp(messageOf(error)));
    thread.once('exit', (code) => {
      clearTimeout(timer);
      giveUp(`its thread ended with ${code}`);
    });
  });
}
