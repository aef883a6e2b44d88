import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import { ControllerBench } from '../../../tests/support/controller/controller-bench.js';
import { fakeInjector } from '../../../tests/support/controller/fake-platform.js';
import { testPlan } from '../../../tests/support/controller/test-plan.js';
import { readEvents } from '../../log/event-log.js';
import type { RunEvent } from '../../log/events.js';

const benches: ControllerBench[] = [];
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()));
});

interface Ended {
  readonly orders: readonly string[];
  readonly faults: readonly string[];
  readonly events: readonly RunEvent[];
  readonly verdict: string;
  readonly failure: string | undefined;
}

function fault(id: string, atMs: number, untilMs: number, replicas = 3): FaultPlan {
  return { id, name: 'scale', kind: 'scale', service: 'mcp-server', replicas, atMs, untilMs };
}

async function run(
  seconds: number,
  faults: readonly FaultPlan[],
  failing?: 'inspect' | 'inject' | 'witness',
  stopAt?: RunEvent['type'],
): Promise<Ended> {
  const bench = new ControllerBench();
  benches.push(bench);
  const file = join(bench.resultsFolder, 'faults.log');
  let folder = '';
  bench.platform.faults = fakeInjector(file, () => folder, failing);
  await bench.start();
  const submitted = bench.controller.submit(testPlan([seconds], { faults }), { command: 'test', workers: 1 });
  folder = submitted.folder;
  submitted.subscribe(({ type }) => {
    if (type === stopAt) setImmediate(() => submitted.stop('user', 'drain', 'enough'));
  });
  const { verdict, failure } = await submitted.finished;
  const { events } = await readEvents(join(folder, 'events.jsonl'));
  return {
    orders: existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [],
    faults: events.flatMap((event) =>
      'faultId' in event ? [`${event.faultId} ${event.type.slice('fault.'.length)}`] : [],
    ),
    events,
    verdict: verdict.kind,
    failure: failure?.code,
  };
}

function at(events: readonly RunEvent[], type: RunEvent['type']): number {
  return Date.parse(events.find((event) => event.type === type)?.at ?? '');
}
function startAt(events: readonly RunEvent[]): number {
  return events.flatMap((event) => (event.type === 'run.started' ? [event.startAt] : []))[0] ?? 0;
}

test('a fault is logged before it acts, acts at its time, and is undone at its end', async () => {
  const { orders, faults, events, verdict } = await run(4, [fault('f1', 1000, 2000)]);
  expect(verdict).toBe('passed');
  expect(orders).toEqual(['f1 3 logged 1', 'f1 back to 1']);
  expect(faults).toEqual(['f1 started', 'f1 ordered', 'f1 settled', 'f1 ended', 'f1 undone', 'f1 settled']);
  expect(events.filter(({ type }) => type === 'fault.ended')).toMatchObject([{ reason: 'time' }]);
  expect(events.flatMap((event) => (event.type === 'replicas.changed' ? [event.replicas.length] : []))).toEqual([3, 1]);
  // Never early, however busy the machine.
  expect(at(events, 'fault.started') - startAt(events)).toBeGreaterThanOrEqual(999);
  expect(at(events, 'fault.ended') - startAt(events)).toBeGreaterThanOrEqual(1999);
}, 30_000);

test('a fault that lasts to the end of the run is undone before the run finishes', async () => {
  const { orders, faults, events } = await run(2, [fault('f1', 500, 2000)]);
  expect(orders).toEqual(['f1 3 logged 1', 'f1 back to 1']);
  expect(faults.slice(0, 5)).toEqual(['f1 started', 'f1 ordered', 'f1 settled', 'f1 ended', 'f1 undone']);
  const types = events.map(({ type }) => type);
  expect(types.indexOf('fault.undone')).toBeLessThan(types.indexOf('run.finished'));
}, 30_000);

test('a stopped run undoes active faults and begins no more', async () => {
  const { orders, faults, events, verdict } = await run(
    60,
    [fault('f1', 500, 50_000), fault('f2', 50_000, 55_000)],
    undefined,
    'fault.settled',
  );
  expect(verdict).toBe('incomplete');
  expect(orders).toEqual(['f1 3 logged 1', 'f1 back to 1']);
  expect(faults.filter((one) => one.startsWith('f2'))).toEqual([]);
  expect(events.filter(({ type }) => type === 'fault.ended')).toMatchObject([{ reason: 'run-over' }]);
}, 30_000);

test.each<['inspect' | 'inject', readonly string[], readonly string[]]>([
  ['inspect', [], ['f1 failed']],
  // It may have acted partially.
  [
    'inject',
    ['f1 3 logged 1', 'f1 back to 1'],
    ['f1 started', 'f1 ordered', 'f1 failed', 'f1 ended', 'f1 undone', 'f1 settled'],
  ],
])(
  'a run is incomplete when `%s` of a fault fails',
  async (failing, orders, faults) => {
    const ended = await run(60, [fault('f1', 300, 50_000)], failing);
    expect(ended).toMatchObject({ verdict: 'incomplete', failure: 'FAULT_FAILED', orders, faults });
  },
  30_000,
);

test('a fault that nothing shows makes the run invalid, in words', async () => {
  const { faults, events, verdict } = await run(4, [fault('f1', 1000, 2000)], 'witness');
  expect(faults).toEqual(['f1 started', 'f1 ordered', 'f1 unwitnessed', 'f1 ended', 'f1 undone', 'f1 settled']);
  expect(verdict).toBe('invalid');
  expect(events.flatMap((event) => (event.type === 'run.finished' ? event.verdict.reasons : []))).toContainEqual(
    expect.stringMatching(
      /^fault f1, scale of .*, has no witness: in \d+\.\d s nothing showed that scale had an effect$/,
    ),
  );
}, 30_000);
