import { expect, test } from '@jest/globals';
import { testPlan } from '../../tests/support/controller/test-plan.js';
import type { RunEvent, RunEventBody, Verdict } from './events.js';
import { initialState, nextState, type RunState } from './state.js';

const verdict: Verdict = { kind: 'passed', reasons: [] };
const stop: RunEventBody = { type: 'stop.requested', reason: 'user', mode: 'drain', detail: '' };
const whole: readonly RunEventBody[] = [
  { type: 'run.created', runId: 'r', plan: testPlan([1]), command: '', version: '' },
  { type: 'controller.listening', url: '', pid: 1 },
  { type: 'preflight.started' },
  { type: 'run.started', startAt: 5, assignments: [] },
  { type: 'stage.started', stage: 0, name: 'a' },
  { type: 'run.draining' },
  { type: 'run.analysing' },
  { type: 'run.finished', verdict },
];

function events(bodies: readonly RunEventBody[]): readonly RunEvent[] {
  return bodies.map((body, index) => ({ seq: index + 1, at: '', ...body }));
}

function states(bodies: readonly RunEventBody[]): readonly string[] {
  let state = initialState;
  return events(bodies).map((event) => (state = nextState(state, event)).kind);
}

function finalState(bodies: readonly RunEventBody[]): RunState {
  return events(bodies).reduce(nextState, initialState);
}

test('a run goes from created to finished', () => {
  expect(states(whole)).toEqual([
    'created',
    'deploying',
    'preflight',
    'running',
    'running',
    'draining',
    'analysing',
    'finished',
  ]);
});

test('a stop at any point leads to stopping, and from there only to finished', () => {
  for (let at = 1; at < whole.length - 1; at += 1) {
    const after = states([...whole.slice(0, at), stop, ...whole.slice(at)]).slice(at);
    expect(after).toEqual([...after.slice(1).map(() => 'stopping'), 'finished']);
  }
});

test('finished is final', () => {
  expect(finalState([...whole, stop, { type: 'run.draining' }])).toEqual({ kind: 'finished', verdict });
});

test('the running stage is the last one that started', () => {
  expect(finalState([...whole.slice(0, 5), { type: 'stage.started', stage: 1, name: 'b' }])).toEqual({
    kind: 'running',
    startAt: 5,
    stage: 1,
    stageName: 'b',
  });
});

test('an adopted run keeps its state', () => {
  expect(finalState([...whole.slice(0, 5), { type: 'run.adopted', pid: 2 }]).kind).toBe('running');
});
