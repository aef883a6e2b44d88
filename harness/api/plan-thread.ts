/** A thread that makes one plan, says so, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Plan } from '../../scenarios/schema/plan.js';
import { ApiError } from './errors.js';
import { planFrom, type RunRequest } from './run-request.js';

export interface PlanQuestion {
  readonly request: RunRequest;
  readonly allowTargets: readonly string[];
}

export type PlanAnswer =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly refusal: Pick<ApiError, 'status' | 'code' | 'message' | 'hint' | 'details'> };

function answerTo({ request, allowTargets }: PlanQuestion): PlanAnswer {
  try {
    return { ok: true, plan: planFrom(request, allowTargets) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { status, code, message, hint, details } = error;
    return { ok: false, refusal: { status, code, message, hint, details } };
  }
}

parentPort?.postMessage(answerTo(workerData as PlanQuestion));
