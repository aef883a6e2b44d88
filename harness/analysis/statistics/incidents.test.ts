import { expect, test } from '@jest/globals';
import { samplePlan } from '../../../tests/support/analysis/sample-plan.js';
import type { Notice } from '../../platform/platform.js';
import { newRunFacts, type RunFacts } from '../facts/run-facts.js';
import { incidentNotes, incidentsOf } from './incidents.js';

const START = Date.parse('2026-01-01T00:00:00Z');

function notice(what: Notice['what'], subject: string, seconds: number, text = `${subject} ${what}`): Notice {
  return { what, subject, service: 'mcp-server', text, happenedAt: new Date(START + seconds * 1000).toISOString() };
}

function factsWith(...notices: readonly Notice[]): RunFacts {
  return { ...newRunFacts(), startAt: START, notices: [...notices] };
}

/** In each second of `failing`, five operations fail. */
function timeline(failing: readonly number[], faults: readonly object[] = []) {
  const seconds = Array.from({ length: 60 }, (_, t) => ({ t, failed: failing.includes(t) ? 5 : 0, lost: 0 }));
  return { timeline: () => seconds, faults: () => faults, lastMs: 60_000 } as unknown as Parameters<
    typeof incidentsOf
  >[1];
}

test('what happened lasts until its end is told, and what failed from then until a moment later is its effect', () => {
  const facts = factsWith(
    notice('task-paused', 'mcp-server.1', 10),
    notice('task-died', 'mcp-server.2', 12),
    notice('task-resumed', 'mcp-server.1', 20),
  );
  const [pause, death] = incidentsOf(facts, timeline([9, 10, 15, 22, 24]));
  expect(pause).toMatchObject({ atMs: 10_000, untilMs: 20_000, failedDuring: 15, fault: undefined });
  expect(death).toMatchObject({ atMs: 12_000, untilMs: undefined, failedDuring: 0 });
  expect(incidentNotes([pause, death].flatMap((one) => one ?? []))).toEqual([
    'at 10 s, for 10 s: mcp-server.1 task-paused (15 operations failed meanwhile)',
    'at 12 s: mcp-server.2 task-died',
  ]);
});

test('what happens to a subject again and again is one note', () => {
  const deaths = Array.from({ length: 18 }, (_, index) => notice('task-died', 'mcp-server.2', 5 + index * 2.5, 'died'));
  expect(incidentNotes(incidentsOf(factsWith(...deaths), timeline([])))).toEqual([
    'died: 18 times, from 5 s to 47.5 s',
  ]);
});

test('what a fault of the run causes has its name, and no note', () => {
  const record = {
    id: 'f1',
    kind: 'kill',
    target: '',
    replicas: ['mcp-server.2 (2)'],
    startedMs: 10_000,
    endedMs: 11_000,
  };
  const facts = {
    ...factsWith(notice('task-died', 'mcp-server.2', 10.5), notice('task-died', 'mcp-server.1', 10.5)),
    created: { plan: samplePlan() } as unknown as RunFacts['created'],
  };
  const found = incidentsOf(facts, timeline([], [record]));
  expect(found.map(({ subject, fault }) => [subject, fault])).toEqual([
    ['mcp-server.2', 'f1'],
    ['mcp-server.1', undefined],
  ]);
  expect(incidentNotes(found)).toHaveLength(1);
});

test('what happens on a node that a fault struck follows from it, and what happens elsewhere does not', () => {
  const record = { id: 'f1', kind: 'node-cut', target: '', replicas: ['mcp-server.2'], node: 'n2', startedMs: 10_000 };
  const agent = (node: string): Notice => ({ ...notice('task-died', `agent on ${node}`, 20), service: 'agent', node });
  const facts = {
    ...factsWith(agent('n2'), agent('n3')),
    created: { plan: samplePlan() } as unknown as RunFacts['created'],
  };
  expect(incidentsOf(facts, timeline([], [record])).map(({ fault }) => fault)).toEqual(['f1', undefined]);
});
