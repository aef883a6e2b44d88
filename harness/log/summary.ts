import type { Failure } from './errors.js';
import type { RunEvent } from './events.js';
import { initialState, nextState, type RunState } from './state.js';

/** A run as lists show it: a fold of its events. */
export interface RunSummary {
  readonly runId: string;
  readonly scenario: string;
  readonly seed: number;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: RunState;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The start of the load. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly workers: number;
  readonly failure?: Failure;
}

export const emptySummary: RunSummary = {
  runId: '',
  scenario: '',
  seed: 0,
  command: '',
  labels: {},
  state: initialState,
  createdAt: '',
  workers: 0,
};

export function nextSummary(summary: RunSummary, event: RunEvent): RunSummary {
  const state = nextState(summary.state, event);
  switch (event.type) {
    case 'run.created': {
      const { runId, plan, command, labels = {}, at } = event;
      return { ...summary, state, runId, scenario: plan.scenario, seed: plan.seed, command, labels, createdAt: at };
    }
    case 'worker.registered':
      return { ...summary, state, workers: summary.workers + 1 };
    case 'run.started':
      return { ...summary, state, startedAt: new Date(event.startAt).toISOString() };
    case 'run.failed': {
      const { code, message, hint } = event;
      return {
        ...summary,
        state,
        failure: summary.failure ?? { code, message, ...(hint === undefined ? {} : { hint }) },
      };
    }
    case 'run.finished':
      return { ...summary, state, finishedAt: event.at };
    default:
      return state === summary.state ? summary : { ...summary, state };
  }
}
