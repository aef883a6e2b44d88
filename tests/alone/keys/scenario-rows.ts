import { expect } from '@jest/globals';
import type { Rows } from '../../support/key-rows.js';
import { type Evidence, lastedSeconds } from '../../support/observed-run.js';
import { dueInEachSecond, totalOf } from '../../support/run-files.js';
import { abortedRun, bytesRun, clientsRun, insecureRun, metronomeRun, secureRun, stagesRun } from './runs.js';

function plan({ events }: Pick<Evidence, 'events'>) {
  const created = events.find((event) => event.type === 'run.created');
  if (created?.type !== 'run.created') throw new Error('no run.created');
  return created.plan;
}

async function replicasAreTwo(): Promise<void> {
  const ready = (await metronomeRun()).events.find((event) => event.type === 'target.ready');
  expect(ready?.type === 'target.ready' ? ready.replicas.length : 0).toBe(2);
}

/** The server refuses clients without a certificate, and clients without its authority do not trust it. */
async function certificateIsShown(): Promise<void> {
  const { code, log } = await secureRun();
  expect({ code, calls: log.calls.length > 10 }).toEqual({ code: 0, calls: true });
}

async function tokensAreSpread(): Promise<void> {
  const { log } = await secureRun();
  const bySession = new Map(log.calls.map(({ session, headers }) => [session, headers.authorization]));
  expect([...bySession.values()].sort()).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two']);
}

async function loadFollowsTheRamp(): Promise<void> {
  const [first = 0, second = 0] = dueInEachSecond((await stagesRun()).telemetry);
  // 100/s at full load, ramped over two seconds: 25 in the first, 75 in the second.
  expect(first).toBeGreaterThan(15);
  expect(first).toBeLessThan(35);
  expect(second).toBeGreaterThan(60);
  expect(second).toBeLessThan(90);
}

async function loadFollowsTheSteps(): Promise<void> {
  const [, , third = 0, fourth = 0] = dueInEachSecond((await stagesRun()).telemetry);
  expect(third).toBeGreaterThan(20);
  expect(third).toBeLessThan(30);
  expect(fourth).toBeGreaterThan(65);
  expect(fourth).toBeLessThan(85);
}

async function aborts(): Promise<void> {
  const evidence = await abortedRun();
  expect(evidence.code).toBe(99);
  expect(lastedSeconds(evidence)).toBeLessThan(10);
}

export const scenarioRows: Rows = {
  name: async () => expect((await clientsRun()).report.run.scenario).toBe('clients'),
  description: async () => expect(plan(await clientsRun()).description).toBe('A profile for every key of a profile.'),
  seed: async () => expect((await clientsRun()).report.run.seed).toBe(5),
  target: replicasAreTwo,
  'target.server': replicasAreTwo,
  'target.server.url': async () => expect(plan(await clientsRun()).target.kind).toBe('url'),
  'target.replicas': replicasAreTwo,
  'target.headers': async () => {
    const { log, events } = await clientsRun();
    expect(new Set(log.calls.map(({ headers }) => headers['x-from-scenario']))).toEqual(new Set(['yes']));
    expect(JSON.stringify(events)).not.toContain('"x-from-scenario":"yes"');
  },
  'target.tls': certificateIsShown,
  'target.tls.ca': certificateIsShown,
  'target.tls.cert': certificateIsShown,
  'target.tls.key': certificateIsShown,
  'target.tls.insecure': async () => {
    const { code, log, report } = await insecureRun();
    expect({ code, calls: log.calls.length > 10, notes: report.notes }).toEqual({
      code: 0,
      calls: true,
      notes: expect.arrayContaining([expect.stringContaining('insecure')]),
    });
  },
  'target.auth': tokensAreSpread,
  'target.auth.tokenFile': tokensAreSpread,
  'target.auth.tokenEnv': async () =>
    expect(new Set((await insecureRun()).log.calls.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer three']),
    ),
  workload: async () => expect((await clientsRun()).report.profiles.map(({ name }) => name)).toContain('think-random'),
  'workload.*.profile': async () => expect((await metronomeRun()).report.profiles[0]?.sent).toBeGreaterThan(700),
  stages: async () => expect((await stagesRun()).report.stages.map(({ name }) => name)).toContain('ramp'),
  'stages.*.name': async () => expect((await stagesRun()).report.stages.map(({ name }) => name)).toContain('steps'),
  'stages.*.duration': async () => expect(lastedSeconds(await clientsRun())).toBeCloseTo(3, 0),
  'stages.*.load': loadFollowsTheRamp,
  'stages.*.load.from': loadFollowsTheRamp,
  'stages.*.load.to': loadFollowsTheRamp,
  'stages.*.load.steps': loadFollowsTheSteps,
  'stages.*.load.hold': loadFollowsTheSteps,
  'stages.*.measured': async () => {
    const evidence = await stagesRun();
    // Only the steps: 25 + 75 in each trial.
    expect(evidence.report.summary.sent).toBeGreaterThan(190);
    expect(evidence.report.summary.sent).toBeLessThan(210);
    expect(totalOf(evidence.telemetry, 'sent')).toBeGreaterThan(380);
  },
  'stages.*.scale': async () => {
    const { log } = await stagesRun();
    const startedAt = log.calls[0]?.atMs ?? 0;
    const whoCalled = (fromMs: number, toMs: number): number =>
      new Set(
        log.calls
          .filter(({ atMs }) => atMs - startedAt >= fromMs && atMs - startedAt < toMs)
          .map(({ session }) => session),
      ).size;
    // scale: rate has all clients at work early in the ramp; scale: clients has one of four in the first step.
    expect(whoCalled(0, 1_000)).toBe(4);
    expect(whoCalled(2_200, 2_700)).toBe(1);
  },
  thresholds: aborts,
  'thresholds.*.check': async () =>
    expect((await abortedRun()).report.thresholds.map(({ check }) => check)).toEqual([
      expect.stringContaining('latency.p50'),
    ]),
  'thresholds.*.abortOnFail': aborts,
  'thresholds.*.after': async () => expect(lastedSeconds(await abortedRun())).toBeGreaterThan(1.4),
  repeat: async () => {
    const evidence = await stagesRun();
    expect(lastedSeconds(evidence)).toBeCloseTo(8, 0);
    expect(evidence.events.filter((event) => event.type === 'stage.started')).toHaveLength(4);
  },
  'limits.bytes': async () => {
    const { log, report } = await bytesRun();
    // 2 MiB are about ten answers of 200 KiB; 60 were planned.
    expect(log.calls.length).toBeGreaterThan(5);
    expect(log.calls.length).toBeLessThan(25);
    expect(report.verdict).toEqual({ kind: 'incomplete', reasons: [expect.stringContaining('limits.bytes')] });
  },
};
