import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { runOfStarted } from '../../servers/started-server.js';
import type { Rows } from '../../support/key-rows.js';
import { lastedSeconds } from '../../support/observed-run.js';
import { once } from '../../support/once.js';
import { packageRoot } from '../../support/package-root.js';
import {
  armsRun,
  briefRuns,
  faultRefusal,
  imageRefusal,
  limitedRun,
  networkRefusal,
  refusal,
  ruledRun,
  silentCommand,
  takingTurnsRun,
  truthRuns,
  warnedRun,
} from './runs.js';

const startedRun = once(() => runOfStarted());

function faultNamed(text: string | RegExp) {
  return async (): Promise<void> => expect(await faultRefusal()).toMatch(text);
}

function networkNamed(text: string) {
  return async (): Promise<void> => expect(await networkRefusal()).toContain(text);
}

function imageNamed(text: string) {
  return async (): Promise<void> => expect(await imageRefusal()).toContain(text);
}

function limited(key: string) {
  return async (): Promise<void> => expect(await limitedRun()).toContain(`limits.${key}`);
}

async function stickyIsRefused(): Promise<void> {
  expect(await refusal({ target: { gateway: { sticky: 'cookie' } } })).toContain('target.gateway.sticky');
}

async function stops(): Promise<void> {
  const evidence = await ruledRun();
  expect(evidence.events.filter((event) => event.type === 'stop.requested').map((event) => event.reason)).toEqual([
    'stop-rule',
  ]);
  expect(lastedSeconds(evidence)).toBeLessThan(10);
}

async function warns(): Promise<void> {
  const { report } = await warnedRun();
  expect(report.notes).toContainEqual(expect.stringContaining('its trial call failed with answer_limit'));
}

export const scenarioRows: Rows = {
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
  'target.startTimeout': async () => expect(await silentCommand()).toContain('no answer within 400 ms'),
  'target.gateway': stickyIsRefused,
  'target.gateway.sticky': stickyIsRefused,
  'target.era': async () => {
    const { calls } = (await briefRuns()).modern.log;
    expect(calls.length).toBeGreaterThan(20);
    expect(new Set(calls.map(({ headers }) => headers['mcp-protocol-version']))).toEqual(new Set(['2026-07-28']));
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
    // A profile opens no session before its turn.
    const sessionsIn = (stage: number): number =>
      telemetry
        .flatMap(({ batch }) => batch.sessions)
        .filter((one) => one.profile === 'second' && one.stage === stage)
        .reduce((sum, one) => sum + one.sessionsOpened, 0);
    expect([sessionsIn(0), sessionsIn(1)]).toEqual([0, 1]);
  },
  faults: faultNamed('--on swarm'),
  'faults.*.at': faultNamed('750ms'),
  'faults.*.kind': faultNamed('scale'),
  // Until the moment that `at` and `for` make.
  'faults.*.for': faultNamed('2.25s'),
  'faults.*.name': faultNamed('fault coup'),
  'faults.*.stage': faultNamed('10ms to'),
  'faults.*.every': faultNamed('2.82s to'),
  'faults.*.times': faultNamed('2.84s to'),
  'faults.*.service': faultNamed('other'),
  'faults.*.replicas': faultNamed('7 replicas'),
  'faults.*.replica': faultNamed('replica 3'),
  'faults.*.count': faultNamed(/replicas \d, \d, \d to 9 KiB/),
  'faults.*.fraction': faultNamed(/replicas \d, \d to 3 MiB/),
  'faults.*.serving': faultNamed('the replica with the most sessions'),
  'faults.*.allowTotal': faultNamed('replicas 1, 2, 3, 4'),
  'faults.*.node': faultNamed('node n7'),
  'faults.*.leader': faultNamed('the node of the leader'),
  'faults.*.gateway': faultNamed('kill the gateway'),
  'faults.*.signal': faultNamed('SIGHUP'),
  'faults.*.cpu': faultNamed('150%'),
  'faults.*.cpu.from': faultNamed('10% to'),
  'faults.*.cpu.to': faultNamed('to 90%'),
  'faults.*.memory': faultNamed('3 MiB'),
  'faults.*.memory.from': faultNamed('9 KiB to'),
  'faults.*.memory.to': faultNamed('to 7 KiB'),
  'faults.*.direction': networkNamed('(in)'),
  'faults.*.delay': networkNamed('80ms'),
  'faults.*.delay.from': faultNamed('11ms to'),
  'faults.*.delay.to': faultNamed('to 22ms'),
  'faults.*.jitter': networkNamed('+-7ms'),
  'faults.*.loss': faultNamed('5%'),
  'faults.*.loss.from': faultNamed('1% to'),
  'faults.*.loss.to': faultNamed('to 2%'),
  'faults.*.rate': networkNamed('9 KiB/s'),
  'faults.*.rate.from': networkNamed('1 KiB/s to'),
  'faults.*.rate.to': networkNamed('to 2 KiB/s'),
  'faults.*.reset': networkNamed('25%'),
  'faults.*.reset.from': networkNamed('3% to'),
  'faults.*.reset.to': networkNamed('to 4%'),
  'faults.*.lookup': faultNamed('other-name'),
  'faults.*.answer': faultNamed('looked up 2s late'),
  'faults.*.worker': faultNamed('worker 9'),
  'faults.*.image': faultNamed('new:2'),
  'faults.*.environment': faultNamed('SPEED'),
  'faults.*.order': faultNamed('start-first'),
  'faults.*.parallelism': faultNamed('5 at once'),
  stopWhen: stops,
  'stopWhen.*.check': stops,
  'stopWhen.*.window': async () => expect(lastedSeconds(await ruledRun())).toBeGreaterThan(1.9),
  quantiles: async () => {
    const { report, output } = await takingTurnsRun();
    expect(Object.keys(report.summary.latencyMs.quantiles ?? {})).toEqual(['p75', 'p99.9']);
    expect(output).toMatch(/latency +p75 .*, p99\.9 .*, max/);
  },
  // The run is compared with itself: the rule decides, and a run alone never shows that nothing changed.
  compare: async () => {
    const { stdout } = (await takingTurnsRun()).comparison;
    const { defaultRules, comparisons } = JSON.parse(stdout) as {
      readonly defaultRules: boolean;
      readonly comparisons: readonly {
        readonly rules: readonly { readonly rule: string; readonly answer: string }[];
      }[];
    };
    expect(defaultRules).toBe(false);
    expect(comparisons[0]?.rules).toMatchObject([{ rule: 'latency.p50 +50%', answer: 'inconclusive' }]);
  },
  'target.truth': async () => {
    const { report } = await armsRun();
    const answers = Object.fromEntries(
      (report.reached ?? []).map(({ arm, operation, answer }) => [`${arm} ${operation}`, answer]),
    );
    expect(answers).toEqual({
      'direct echo': 'all',
      'direct payload': 'all',
      'proxy echo': 'fewer',
      'proxy payload': 'more',
      'socket echo': 'all',
      'socket payload': 'all',
    });
    expect(report.notes).toContainEqual(expect.stringContaining('the arguments of echo never change'));
  },
  'target.truth.url': async () =>
    expect((await armsRun()).report.reached?.every(({ source }) => source.endsWith('/stats'))).toBe(true),
  'target.truth.jsonPath': async () => {
    const [row] = (await truthRuns()).document.report.reached ?? [];
    expect(row).toMatchObject({ arm: null, operation: null, reached: 10, answer: 'fewer' });
  },
  'target.truth.query': async () => expect((await truthRuns()).query.report.reached?.[0]?.reached).toBe(10),
  'target.truth.label': async () => expect((await truthRuns()).query.report.reached?.[0]?.operation).toBe('even'),
  arms: async () => {
    const { report } = await armsRun();
    expect(report.arms?.base).toBe('direct');
    expect(report.arms?.arms.map(({ name, succeeded }) => [name, succeeded > 0])).toEqual([
      ['direct', true],
      ['proxy', true],
      ['socket', true],
    ]);
    // All had the same load, and the threshold is about one of them.
    expect(new Set(report.profiles.map(({ offered }) => offered)).size).toBe(1);
    expect(report.thresholds[0]).toMatchObject({ passed: true, samples: report.arms?.arms[2]?.succeeded });
    expect(report.arms?.overheads).toContainEqual(
      expect.objectContaining({ arm: 'socket', of: 'latency', statistic: 'p50', addedMs: expect.anything() }),
    );
  },
  'arms.*.transport': async () =>
    expect((await armsRun()).report.arms?.arms.map(({ transports }) => transports)).toEqual([
      ['streamable-http'],
      ['streamable-http'],
      ['websocket'],
    ]),
  interleave: async () => expect((await armsRun()).report.arms?.blocks).toEqual({ planned: 7, complete: 7 }),
  'interleave.blocks': async () => {
    const { report, events } = await armsRun();
    expect(report.arms?.blocks.planned).toBe(7);
    expect(events.filter((event) => event.type === 'stage.started')).toHaveLength(7 * 3 * 2);
  },
  'interleave.settle': async () =>
    expect((await armsRun()).report.stages[0]).toMatchObject({ name: 'steady (settling)', measured: false }),
  limits: limited('clients'),
  'limits.clients': limited('clients'),
  'limits.rate': limited('rate'),
  'limits.duration': limited('duration'),
  'limits.answer': async () => {
    const { report } = await warnedRun();
    expect(report.errors.map(({ category }) => category)).toEqual(['answer_limit']);
    expect(report.errors[0]?.count).toBe(report.summary.sent);
    expect(JSON.stringify(report.errors[0]?.sample)).toContain('more than 8192 bytes, a limit of swarmbench');
  },
  preflight: warns,
  'preflight.calls': warns,
  'preflight.timeout': async () => expect(await silentCommand()).toContain('no answer within 100 ms'),
  // Workers have to be killed for it; that test does so for each of its values.
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
