import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { runOfStarted } from '../../servers/started-server.js';
import { packageRoot } from '../../support/package-root.js';
import { dueInEachSecond, totalOf } from '../../support/run-files.js';
import {
  abortedRun,
  briefRuns,
  bytesRun,
  clientsRun,
  type Evidence,
  faultRefusal,
  imageRefusal,
  insecureRun,
  limitedRun,
  metronomeRun,
  refusal,
  ruledRun,
  secureRun,
  stagesRun,
  takingTurnsRun,
} from './evidence.js';
import type { Rows } from './row.js';

let started: ReturnType<typeof runOfStarted> | undefined;
function startedRun(): ReturnType<typeof runOfStarted> {
  return (started ??= runOfStarted());
}

function faultNamed(words: string) {
  return async (): Promise<void> => expect(await faultRefusal()).toContain(words);
}
function imageNamed(words: string) {
  return async (): Promise<void> => expect(await imageRefusal()).toContain(words);
}
function limited(key: string) {
  return async (): Promise<void> => expect(await limitedRun()).toContain(`limits.${key}`);
}

/**
 * Run time in seconds up to which operations were due; the batches after it hold late answers only, as those of a slow
 * reader.
 */
function lasted({ telemetry }: Evidence): number {
  return (
    Math.max(
      ...telemetry
        .filter(({ batch }) => batch.series.some((series) => series.offered > 0))
        .map(({ batch }) => batch.toMs),
    ) / 1000
  );
}

function plan({ events }: Pick<Evidence, 'events'>) {
  const created = events.find((event) => event.type === 'run.created');
  if (created?.type !== 'run.created') throw new Error('no run.created');
  return created.plan;
}

async function replicasAreTwo(): Promise<void> {
  const ready = (await metronomeRun()).events.find((event) => event.type === 'target.ready');
  expect(ready?.type === 'target.ready' ? ready.replicas.length : 0).toBe(2);
}

/** The server takes nobody without a certificate, and is known to nobody without its authority. */
async function certificateIsShown(): Promise<void> {
  const { code, log } = await secureRun();
  expect({ code, calls: log.calls.length > 10 }).toEqual({ code: 0, calls: true });
}

async function tokensAreSpread(): Promise<void> {
  const { log } = await secureRun();
  const bySession = new Map(log.calls.map(({ session, headers }) => [session, headers.authorization]));
  expect([...bySession.values()].sort()).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two']);
}

async function stickyIsRefused(): Promise<void> {
  expect(await refusal({ target: { gateway: { sticky: 'cookie' } } })).toContain('target.gateway.sticky');
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
  expect(lasted(evidence)).toBeLessThan(10);
}

async function stops(): Promise<void> {
  const evidence = await ruledRun();
  expect(evidence.events.filter((event) => event.type === 'stop.requested').map((event) => event.reason)).toEqual([
    'stop-rule',
  ]);
  expect(lasted(evidence)).toBeLessThan(10);
}

export const scenarioRows: Rows = {
  name: async () => expect((await clientsRun()).report.run.scenario).toBe('clients'),
  description: async () => expect(plan(await clientsRun()).description).toBe('A profile for every key of a profile.'),
  seed: async () => expect((await clientsRun()).report.run.seed).toBe(5),
  target: replicasAreTwo,
  'target.server': replicasAreTwo,
  'target.server.url': async () => expect(plan(await clientsRun()).target.kind).toBe('url'),
  'target.server.image': imageNamed('my/server:1'),
  'target.server.port': imageNamed('port 8123'),
  'target.server.path': imageNamed('path /rpc'),
  'target.server.command': async () => {
    const { calls, report, processes } = await startedRun();
    expect(calls).toBe(report.summary.succeeded);
    // Two clients, and the preflight.
    expect(processes).toBe(3);
  },
  'target.server.env': async () => expect((await startedRun()).labels).toEqual(['from-the-scenario']),
  'target.replicas': replicasAreTwo,
  'target.gateway': stickyIsRefused,
  'target.gateway.sticky': stickyIsRefused,
  'target.era': async () => {
    const { calls } = (await briefRuns()).modern.log;
    expect(calls.length).toBeGreaterThan(20);
    expect(new Set(calls.map(({ headers }) => headers['mcp-protocol-version']))).toEqual(new Set(['2026-07-28']));
  },
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
  'stages.*.duration': async () => expect(lasted(await clientsRun())).toBeCloseTo(3, 0),
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
  'stages.*.profiles': async () => {
    const { telemetry } = await takingTurnsRun();
    const offered = (profile: string, stage: number): number =>
      telemetry
        .flatMap(({ batch }) => batch.series)
        .filter((one) => one.profile === profile && one.stage === stage)
        .reduce((sum, one) => sum + one.offered, 0);
    expect(
      [offered('first', 0), offered('second', 0), offered('first', 1), offered('second', 1)].map((count) => count > 0),
    ).toEqual([true, false, true, true]);
    // Nobody opens a session before its turn.
    const sessionsIn = (stage: number): number =>
      telemetry
        .flatMap(({ batch }) => batch.sessions)
        .filter((one) => one.profile === 'second' && one.stage === stage)
        .reduce((sum, one) => sum + one.sessionsOpened, 0);
    expect([sessionsIn(0), sessionsIn(1)]).toEqual([0, 1]);
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
  faults: faultNamed('--on swarm'),
  'faults.*.at': faultNamed('750ms'),
  'faults.*.kind': faultNamed('scale'),
  // Until the moment that `at` and `for` make.
  'faults.*.for': faultNamed('2.25s'),
  'faults.*.service': faultNamed('other'),
  'faults.*.replicas': faultNamed('7 replicas'),
  thresholds: aborts,
  'thresholds.*.check': async () =>
    expect((await abortedRun()).report.thresholds.map(({ check }) => check)).toEqual([
      expect.stringContaining('latency.p50'),
    ]),
  'thresholds.*.abortOnFail': aborts,
  'thresholds.*.after': async () => expect(lasted(await abortedRun())).toBeGreaterThan(1.4),
  stopWhen: stops,
  'stopWhen.*.check': stops,
  'stopWhen.*.window': async () => expect(lasted(await ruledRun())).toBeGreaterThan(1.9),
  repeat: async () => {
    const evidence = await stagesRun();
    expect(lasted(evidence)).toBeCloseTo(8, 0);
    expect(evidence.events.filter((event) => event.type === 'stage.started')).toHaveLength(4);
  },
  limits: limited('clients'),
  'limits.clients': limited('clients'),
  'limits.rate': limited('rate'),
  'limits.duration': limited('duration'),
  'limits.bytes': async () => {
    const { log, report } = await bytesRun();
    // 2 MiB are about ten answers of 200 KiB; 60 were planned.
    expect(log.calls.length).toBeGreaterThan(5);
    expect(log.calls.length).toBeLessThan(25);
    expect(report.verdict).toEqual({ kind: 'incomplete', reasons: [expect.stringContaining('limits.bytes')] });
  },
  // Needs workers to be killed, which is done there for each of its values.
  onWorkerLoss: async () => {
    const source = readFileSync(join(packageRoot, 'tests/alone/own-faults.test.ts'), 'utf8');
    for (const policy of ['fail', 'replace', 'continue']) expect(source).toContain(`killOneWorker('${policy}')`);
  },
  drain: async () => {
    const { report, log } = (await briefRuns()).drained;
    expect(report.summary.lost).toBe(log.calls.length);
    expect(log.calls.length).toBeGreaterThan(2);
  },
};
