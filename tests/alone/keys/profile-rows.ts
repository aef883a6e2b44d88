import { expect } from '@jest/globals';
import type { SeenCall } from '../../servers/test-server.js';
import { distinct, median, mostAtOnce, ofTool, pauses, variation } from '../../support/calls.js';
import type { Rows } from '../../support/key-rows.js';
import { dueInEachSecond, operationTotals } from '../../support/run-files.js';
import { autoRun, batchRun, clientsRun, metronomeRun, spinRun } from './runs.js';

async function callsOf(tool: string): Promise<readonly SeenCall[]> {
  const calls = ofTool((await clientsRun()).log.calls, tool);
  expect(calls.length).toBeGreaterThan(5);
  return calls;
}

async function operation(name: string) {
  const totals = operationTotals((await clientsRun()).telemetry).get(name);
  if (totals === undefined) throw new Error(`no operation ${name}`);
  return totals;
}

async function sessionsOf(tool: string): Promise<number> {
  return distinct((await callsOf(tool)).map(({ session }) => session));
}

async function rateIsThirtyASecond(): Promise<void> {
  const calls = await callsOf('even');
  // Three clients for three seconds.
  expect(calls.length).toBeGreaterThan(255);
  expect(calls.length).toBeLessThan(285);
}

/**
 * What a pause between an answer and the next call owes to a busy machine: server, worker and loop each wait for a
 * turn.
 */
async function wakeUpsMs(): Promise<number> {
  return 8 * (await clientsRun()).lateMs;
}

async function thinksFiftyMilliseconds(): Promise<void> {
  const thought = pauses(await callsOf('think-fixed'));
  expect(median(thought)).toBeGreaterThan(48);
  expect(median(thought)).toBeLessThan(70 + (await wakeUpsMs()));
}

async function thinksBetween(): Promise<void> {
  const thought = pauses(await callsOf('think-between'));
  expect(Math.min(...thought)).toBeGreaterThan(25);
  expect(median(thought)).toBeGreaterThan(45);
  expect(median(thought)).toBeLessThan(80 + (await wakeUpsMs()));
  expect(variation(thought)).toBeGreaterThan(0.1);
}

async function thinksExponentially(): Promise<void> {
  const thought = pauses(await callsOf('think-random'));
  expect(Math.min(...thought)).toBeLessThan(15 + (await wakeUpsMs()));
  // The median of an exponential distribution of mean 30 ms is 21 ms.
  expect(median(thought)).toBeGreaterThan(10);
  expect(median(thought)).toBeLessThan(40 + (await wakeUpsMs()));
  expect(variation(thought)).toBeGreaterThan(0.5);
}

async function poolHasTwoSessions(): Promise<void> {
  expect(await sessionsOf('pool')).toBe(2);
}

async function churnsEveryTenOperations(): Promise<void> {
  const calls = await callsOf('churn');
  expect(await sessionsOf('churn')).toBe(Math.ceil(calls.length / 10));
}

function sees(method: string, params: object) {
  return async (): Promise<void> =>
    expect((await clientsRun()).log.calls).toContainEqual(
      expect.objectContaining({ method, params: expect.objectContaining(params) }),
    );
}

async function readsSlowly(): Promise<void> {
  const calls = ofTool((await clientsRun()).log.calls, 'big');
  // 200 KiB at 200 KiB/s: one a second, where a quick reader takes hundreds.
  expect(calls.length).toBeGreaterThan(1);
  expect(calls.length).toBeLessThan(8);
}

function halfIsAsExpected(tool: string) {
  return async (): Promise<void> => {
    const { sent, succeeded, errors } = await operation(tool);
    expect(sent).toBeGreaterThan(10);
    expect({ succeeded, errors }).toEqual({
      succeeded: Math.ceil(sent / 2),
      errors: { expectation: Math.floor(sent / 2) },
    });
  };
}

export const profileRows: Rows = {
  'profile.description': async () => {
    const created = (await clientsRun()).events.find((event) => event.type === 'run.created');
    expect(
      created?.type === 'run.created' && created.plan.profiles.find(({ name }) => name === 'even')?.description,
    ).toBe('evenly spaced');
  },
  'profile.clients': async () => expect(await sessionsOf('even')).toBe(3),
  'profile.session': churnsEveryTenOperations,
  'profile.session.mode': async () =>
    expect(await sessionsOf('per-request')).toBe((await callsOf('per-request')).length),
  'profile.session.size': poolHasTwoSessions,
  'profile.session.every': churnsEveryTenOperations,
  'profile.arrivals': rateIsThirtyASecond,
  'profile.arrivals.rate': rateIsThirtyASecond,
  'profile.arrivals.spacing': async () => {
    // By due time, so that a busy machine changes nothing: three even clients are due 90 times in each second.
    const { telemetry } = await clientsRun();
    const even = dueInEachSecond(telemetry, 'even');
    expect(even).toHaveLength(3);
    // One that is due on the second itself may fall on either side of it.
    for (const count of even) expect(Math.abs(count - 90)).toBeLessThanOrEqual(1);
    const random = dueInEachSecond(telemetry, 'poisson');
    expect(distinct(random)).toBeGreaterThan(1);
    for (const count of random) expect(Math.abs(count - 60)).toBeLessThan(4 * Math.sqrt(60));
  },
  'profile.thinkTime': thinksFiftyMilliseconds,
  'profile.thinkTime.min': thinksBetween,
  'profile.thinkTime.max': thinksBetween,
  'profile.thinkTime.mean': thinksExponentially,
  'profile.thinkTime.distribution': thinksExponentially,
  'profile.maxInFlight': async () => expect(mostAtOnce(await callsOf('slow-window'))).toBe(3),
  'profile.connections': async () => {
    const calls = await callsOf('slow-connections');
    expect(distinct(calls.map(({ connection }) => connection))).toBe(4);
    expect(mostAtOnce(calls)).toBe(4);
  },
  'profile.pipeline': async () => {
    const calls = await callsOf('slow-pipeline');
    expect(distinct(calls.map(({ connection }) => connection))).toBe(1);
    expect(mostAtOnce(calls)).toBeGreaterThan(1);
  },
  'profile.pacing': async () => {
    const lag = async (made: typeof batchRun): Promise<number> => (await made()).report.summary.lagMs.p50 ?? Number.NaN;
    // 0.1 ms between looks at the clock instead of 1 ms: half of that is the median lag.
    expect(await lag(metronomeRun)).toBeLessThan(await lag(batchRun));
    // A loop that spins never waits, however busy the machine is; one that is paced by a timer does. (Spinning on a
    // machine whose cores are all busy is late, so its lag shows nothing here.)
    const busy = async (made: typeof batchRun) => (await made()).report.workers[0]?.health.values.eventLoopUtilization;
    expect((await busy(spinRun))?.worst).toBeGreaterThan(0.99);
    expect((await busy(batchRun))?.mean).toBeLessThan(0.99);
    // And that alone is no reason to call the generator saturated.
    expect((await spinRun()).report.verdict.reasons.filter((reason) => reason.includes('of its event loop'))).toEqual(
      [],
    );
    expect((await spinRun()).report.profiles[0]?.load).toContain('paced by spin');
  },
  'profile.timeout': async () => {
    const { sent, errors } = await operation('slow-impatient');
    expect(errors).toEqual({ timeout: sent });
  },
  'profile.operations': async () => expect((await operation('heavy')).succeeded).toBeGreaterThan(50),
  'profile.operations.*.name': async () =>
    expect((await operation('light-one')).succeeded).toBe((await callsOf('light')).length),
  'profile.operations.*.tool': async () =>
    expect((await operation('heavy')).sent).toBe((await callsOf('heavy')).length),
  'profile.operations.*.resource': sees('resources/read', { uri: 'test://text' }),
  'profile.operations.*.prompt': sees('prompts/get', { name: 'greeting', arguments: { name: 'Ada' } }),
  'profile.operations.*.ping': sees('ping', {}),
  'profile.operations.*.list': sees('tools/list', {}),
  'profile.operations.*.arguments': async () => {
    const given = (await callsOf('light')).map(({ params }) => params.arguments as { fixed: unknown; drawn: unknown });
    expect(new Set(given.map(({ fixed }) => fixed))).toEqual(new Set(['yes']));
    expect(distinct(given.map(({ drawn }) => drawn))).toBeGreaterThan(1);
    expect(given.every(({ drawn }) => typeof drawn === 'number' && drawn >= 1 && drawn <= 6)).toBe(true);
    // Made up from the schema that the server lists; its own validation is stricter than ours, and every call passed
    // it.
    const { report, telemetry } = await autoRun();
    const { sent, succeeded } = operationTotals(telemetry).get('echo') ?? { sent: 0, succeeded: -1 };
    expect(sent).toBeGreaterThan(10);
    expect({ verdict: report.verdict.kind, succeeded }).toEqual({ verdict: 'passed', succeeded: sent });
    expect(operationTotals(telemetry).get('greeting')?.errors).toEqual({});
  },
  'profile.operations.*.expect': halfIsAsExpected('half-contains'),
  'profile.operations.*.expect.contains': halfIsAsExpected('half-contains'),
  'profile.operations.*.expect.equals': halfIsAsExpected('half-equals'),
  'profile.operations.*.expect.size': halfIsAsExpected('half-size'),
  'profile.operations.*.expect.size.max': halfIsAsExpected('half-size'),
  'profile.operations.*.weight': async () => {
    const ratio = (await callsOf('heavy')).length / (await callsOf('light')).length;
    expect(ratio).toBeGreaterThan(4);
    expect(ratio).toBeLessThan(20);
  },
  'profile.misbehave': readsSlowly,
  'profile.misbehave.readRate': readsSlowly,
};
