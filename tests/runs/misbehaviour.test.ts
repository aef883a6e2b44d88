import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { testRows } from '../support/key-rows.js';
import { run } from '../support/swarmbench.js';
import { misbehaveRows } from './misbehaviour/rows.js';
import { misbehavingRuns, type WireEvidence } from './misbehaviour/runs.js';

jest.setTimeout(180_000);

type Runs = Awaited<ReturnType<typeof misbehavingRuns>>;

/** The rows below compare what is on the wire; these tests compare the counts. */
describe('misbehaviour on purpose', () => {
  let runs: Runs;
  beforeAll(async () => {
    runs = await misbehavingRuns();
  });

  const names = [
    'aborting',
    'resetting',
    'malforming',
    'allMalformed',
    'writing',
    'idling',
    'storming',
    'scattered',
  ] as const satisfies readonly (keyof Runs)[];
  test.each(names)('%s: the counts balance', (name) => {
    const { report } = runs[name];
    const { offered, sent, succeeded, failed, lost, dropped, unsent } = report.summary;
    expect(sent).toBeGreaterThan(0);
    expect(offered).toBe(sent + dropped + unsent);
    expect(sent).toBe(succeeded + failed + lost);
    expect(report.balance.map(({ gap }) => gap)).toEqual(report.balance.map(() => 0));
  });

  test.each(names)('%s: no error is blamed on the target', (name) => {
    const { report } = runs[name];
    expect(report.errors.map(({ category, count }) => `${category} ${count}`)).toEqual([]);
    expect(report.summary.errorRate ?? 0).toBe(0);
    expect(report.summary.failed).toBe(report.summary.byUs);
  });

  test('a threshold sees only the target, and has no data where every failure was provoked by us', () => {
    const held = ({ report }: WireEvidence): boolean | undefined => report.thresholds[0]?.passed;
    // More than half of the operations failed in the first, on purpose.
    expect(held(runs.aborting)).toBe(true);
    expect(held(runs.malforming)).toBe(true);
    expect(held(runs.allMalformed)).toBe(false);
  });

  test('each kind has its own count, with the reactions of the server', () => {
    const wrong = runs.malforming.report.misbehaviour.flatMap(({ kind, reactions }) =>
      reactions.filter(({ judgement }) => judgement === 'wrong').map(() => kind),
    );
    expect(wrong).toEqual([]);
    expect(runs.malforming.report.summary.byUs).toBe(
      runs.malforming.report.misbehaviour.reduce((sum, { done }) => sum + done, 0),
    );
  });
});

test('the reference server withstands the error injector over each transport and answers correct calls', async () => {
  const injector = {
    profile: 'error-injector',
    timeout: '20s',
    misbehave: { abort: '20%', malformed: { share: '40%', oversize: '6 MiB' } },
  };
  const { report } = await run({
    scenario: {
      name: 'injected',
      workload: {
        http: { ...injector, clients: 4 },
        websocket: { ...injector, clients: 2, transport: 'websocket' },
        tcp: { ...injector, clients: 2, transport: 'tcp' },
        sse: { ...injector, clients: 2, transport: 'sse' },
        storm: {
          profile: 'reconnector',
          clients: 2,
          transport: 'websocket',
          timeout: '20s',
          misbehave: { reconnect: { every: '1s' } },
        },
      },
      stages: [{ name: 'steady', duration: '3s' }],
      drain: '20s',
    },
  });
  expect(report.errors).toEqual([]);
  expect(report.summary.succeeded).toBeGreaterThan(20);
  expect(report.summary.failed).toBe(report.summary.byUs);
  expect(report.profiles.filter(({ succeeded }) => succeeded === 0)).toEqual([]);
  expect(report.misbehaviour.filter(({ profile }) => profile === 'storm').map(({ kind }) => kind)).toContain(
    'reconnect',
  );
  const answers = new Map(
    report.misbehaviour.flatMap(({ kind, reactions }) =>
      reactions.map(({ reaction, judgement }) => [`${kind} ${reaction}`, judgement] as const),
    ),
  );
  expect([...answers].filter(([, judgement]) => judgement === 'wrong')).toEqual([]);
  expect([...answers.keys()]).toEqual(
    expect.arrayContaining([
      'malformed/broken-json rpc_-32700',
      'malformed/unknown-method rpc_-32601',
      'malformed/wrong-framing http_400',
      'malformed/unmasked stream_lost',
      'malformed/wrong-framing rpc_-32700',
    ]),
  );
});

testRows(misbehaveRows);
