import type { RunEvent, StopReason, Verdict } from './events.js';

/** The state of a run: a fold of its events, so a log gives the same state when it is read as when it was written. */
export type RunState =
  | { readonly kind: 'created' }
  | { readonly kind: 'deploying' }
  | { readonly kind: 'preflight' }
  | { readonly kind: 'running'; readonly startAt: number; readonly stage: number; readonly stageName: string }
  | { readonly kind: 'draining' }
  | { readonly kind: 'analysing' }
  | { readonly kind: 'stopping'; readonly reason: StopReason; readonly mode: 'drain' | 'now' }
  | { readonly kind: 'finished'; readonly verdict: Verdict };

export const initialState: RunState = { kind: 'created' };

/**
 * The state after one more event. `finished` is final. `stopping` only changes to `finished`, so a drain or an analysis
 * after a stop is still shown as stopping. Events that are facts rather than steps change nothing.
 */
export function nextState(state: RunState, event: RunEvent): RunState {
  if (state.kind === 'finished') return state;
  if (event.type === 'run.finished') return { kind: 'finished', verdict: event.verdict };
  if (event.type === 'stop.requested') return { kind: 'stopping', reason: event.reason, mode: event.mode };
  if (state.kind === 'stopping') return state;
  switch (event.type) {
    case 'run.created':
      return { kind: 'created' };
    // Logged when the run leaves the queue; deploying follows.
    case 'controller.listening':
      return state.kind === 'created' ? { kind: 'deploying' } : state;
    case 'preflight.started':
      return { kind: 'preflight' };
    case 'run.started':
      return { kind: 'running', startAt: event.startAt, stage: -1, stageName: 'starting' };
    case 'stage.started':
      return state.kind === 'running' ? { ...state, stage: event.stage, stageName: event.name } : state;
    case 'run.draining':
      return { kind: 'draining' };
    case 'run.analysing':
      return { kind: 'analysing' };
    case 'run.failed':
      return { kind: 'stopping', reason: 'error', mode: 'now' };
    case 'program.started':
    case 'environment':
    case 'target.ready':
    case 'upstreams.listed':
    case 'worker.registered':
    case 'worker.clock':
    case 'worker.saturated':
    case 'worker.recovered':
    case 'worker.lost':
    case 'worker.finished':
    case 'preflight.passed':
    case 'preflight.failed':
    case 'truth.read':
    case 'truth.failed':
    case 'slots.moved':
    case 'load.adjusted':
    case 'threshold.broken':
    case 'usage':
    case 'fault.started':
    case 'fault.ordered':
    case 'fault.settled':
    case 'fault.followed':
    case 'fault.unwitnessed':
    case 'fault.left':
    case 'faults.halted':
    case 'fault.ended':
    case 'fault.undone':
    case 'fault.failed':
    case 'replicas.changed':
    case 'noticed':
    case 'run.adopted':
      return state;
    default:
      return unreachable(event);
  }
}

function unreachable(event: never): never {
  throw new Error(`unknown type of event: ${JSON.stringify(event)}`);
}
