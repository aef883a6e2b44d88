import { describe, expect, test } from '@jest/globals';
import { load, planOf } from '../../tests/support/scenarios/files.js';
import { formatProblems } from '../yaml/problem.js';
import { loadPlan } from './load-plan.js';

function scenario(faults: string, more = ''): string {
  const stages = 'stages:\n  - { name: a, duration: 10s }\n  - { name: b, duration: 20s }\n';
  return `name: s\nworkload:\n  low-load: {}\n${stages}${more}faults:\n${faults}`;
}

describe('faults', () => {
  test('are in order of time, last to the end without `for`, and come in every trial', () => {
    const { faults } = planOf(
      scenario(
        '  - { at: 15s, kind: scale, replicas: 4 }\n' +
          '  - { at: 2s, kind: scale, service: other, replicas: 1, for: 3s }\n',
        'repeat: 2\n',
      ),
    );
    expect(faults).toEqual([
      { id: 'f1', name: 'scale-2', kind: 'scale', service: 'other', replicas: 1, atMs: 2_000, untilMs: 5_000 },
      { id: 'f2', name: 'scale', kind: 'scale', service: 'mcp-server', replicas: 4, atMs: 15_000, untilMs: 30_000 },
      { id: 'f3', name: 'scale-2', kind: 'scale', service: 'other', replicas: 1, atMs: 32_000, untilMs: 35_000 },
      { id: 'f4', name: 'scale', kind: 'scale', service: 'mcp-server', replicas: 4, atMs: 45_000, untilMs: 60_000 },
    ]);
  });

  test('scale with --time-scale, and still fit into the stages after rounding', () => {
    for (const timeScale of [0.1, 0.333, 0.0777, 1.7]) {
      const result = loadPlan({ scenario: 'replica-scaling', timeScale, sets: ['faults.0.for=120s'], env: {} });
      if (!result.ok) throw new Error(formatProblems(result.problems));
      const {
        faults: [fault],
        stages,
      } = result.plan;
      expect(fault).toMatchObject({ atMs: Math.round(90_000 * timeScale), replicas: 16 });
      expect(fault?.untilMs).toBe(stages.reduce((end, stage) => Math.max(end, stage.startMs + stage.durationMs), 0));
    }
  });

  test('change the hash of the load', () => {
    const hash = (replicas: number): string =>
      planOf(scenario(`  - { at: 1s, kind: scale, replicas: ${replicas} }\n`)).source.configHash;
    expect(hash(3)).toBe(hash(3));
    expect(hash(3)).not.toBe(hash(4));
  });

  test.each([
    ['  - { at: 1s, kind: scale }\n', 'missing key `replicas`'],
    ['  - { at: 30s, kind: scale, replicas: 3 }\n', 'the stages are over after 30s'],
    ['  - { at: 20s, kind: scale, replicas: 3, for: 11s }\n', 'the fault would last until 31s'],
    [
      '  - { at: 1s, kind: scale, replicas: 3 }\n  - { at: 9s, kind: scale, replicas: 5 }\n',
      'two faults act on mcp-server at the same time (faults.0 and faults.1)',
    ],
    ['  - { at: 1s, kind: scale, replicas: 65 }\n', 'must be at most 64'],
    ['  - { at: 1s, kind: scael, replicas: 6 }\n', 'did you mean "scale"'],
    ['  - { at: 1s, kind: paused }\n', 's.yaml:8:21: `paused` is not one of: kill, stop, pause'],
    ['  - { at: 1s, kind: scale, replicas: 3, replica: 1 }\n', '`replica` does not go with `kind: scale`'],
    ['  - { at: 1s, kind: scale, replicas: 3, node: n1 }\n', '`node` does not go with `kind: scale`'],
    [
      '  - { at: 1s, kind: scale, replicas: 3, replcas: 3 }\n',
      'unknown key `replcas`\n    hint: did you mean "replicas"?',
    ],
    ['  - { at: 1s, kind: kill }\n', 'the fault would strike the only replica'],
    ['  - { at: 1s, kind: delay, allowTotal: true }\n', 'missing key `delay`'],
    ['  - { at: 1s, kind: delay, delay: 5ms, jitter: 6ms, allowTotal: true }\n', 'it cannot vary by 6ms'],
    ['  - { at: 1s, kind: loss, loss: 120%, allowTotal: true }\n', 'a share is at most 100%'],
    ['  - { at: 1s, kind: drain }\n', 'missing key `node`'],
    ['  - { at: 1s, kind: dns, lookup: x, answer: slow, worker: 1 }\n', '`delay` goes with `answer: slow`'],
    ['  - { at: 1s, kind: restart, allowTotal: true, for: 2s }\n', 'it has no `for`'],
    ['  - { at: 1s, kind: leader, stage: c }\n', 'there is no stage c'],
    ['  - { at: 12s, kind: leader, stage: a }\n', 'stage a is over after 10s'],
    ['  - { at: 1s, kind: leader, times: 2 }\n', '`times` needs `every`'],
    ['  - { at: 1s, kind: leader, every: 5s }\n', '`every` needs `for`'],
    ['  - { at: 1s, kind: leader, for: 6s, every: 5s }\n', 'it cannot come again after 5s'],
    ['  - { at: 1s, kind: leader, for: 1s, every: 10s, times: 4 }\n', 'no fault can begin at 31s'],
    [
      '  - { at: 1s, kind: leader, name: x, for: 1s }\n  - { at: 9s, kind: leader, name: x }\n',
      'another fault has the name x, too',
    ],
  ])('are refused: %j', (faults, problem) => {
    const result = load(scenario(faults));
    expect(result.ok ? '' : formatProblems(result.problems)).toContain(problem);
  });

  const four = 'target: { replicas: 4 }\n';

  test.each([
    [
      'kind: pause, replica: 5',
      'the target has no replica 5\n    hint: it has 1 to 4, or by name reference-1, mcp-server.1',
    ],
    ['kind: pause, replica: worker-1', 'the target has no replica worker-1'],
    ['kind: pause, count: 4', 'the fault would strike all 4 replicas'],
    ['kind: pause, count: 5, allowTotal: true', 'the target has 4 replicas, so no fault can strike 5'],
    ['kind: pause, fraction: 0%', 'a fraction of the replicas is more than 0%'],
    ['kind: pause, fraction: 76%', 'the fault would strike all 4 replicas'],
    ['kind: pause, count: 2, serving: true', 'here are `count` and `serving`'],
  ])('of replicas that cannot be struck are refused: %s', (keys, problem) => {
    const result = load(scenario(`  - { at: 1s, ${keys} }\n`, four));
    expect(result.ok ? '' : formatProblems(result.problems)).toContain(problem);
  });

  test.each([
    ['kind: pause, replica: 1', 'kind: delay, delay: 1ms, replica: reference-1', 'replica 1'],
    ['kind: pause, serving: true', 'kind: kill, replica: 2', 'what may be the same replica'],
    ['kind: scale, replicas: 2', 'kind: kill, replica: 2', 'replicas of mcp-server'],
    ['kind: drain, node: n1', 'kind: node-cut, node: n1', 'node n1'],
    ['kind: drain, node: n1', 'kind: leader', 'what may be the same node'],
    ['kind: drain, node: n1', 'kind: pause, replica: 1', 'a replica and what may be its node'],
    ['kind: pause, gateway: true', 'kind: scale, service: gateway, replicas: 2', 'gateway'],
    [
      'kind: dns, lookup: x, answer: nxdomain, worker: 1',
      'kind: dns, lookup: y, answer: nxdomain, worker: 1',
      'worker 1',
    ],
  ])('of one subject must not overlap: %s and %s', (first, second, subject) => {
    const result = load(scenario(`  - { at: 1s, ${first} }\n  - { at: 2s, ${second} }\n`, four));
    expect(result.ok ? '' : formatProblems(result.problems)).toContain(`two faults act on ${subject} at the same time`);
  });

  test.each([
    ['kind: pause, replica: 1', 'kind: pause, replica: 2'],
    // What acts once is over when it was seen.
    ['kind: kill, replica: 1', 'kind: kill, replica: 1'],
    ['kind: drain, node: n1', 'kind: drain, node: n2'],
    ['kind: pause, gateway: true', 'kind: pause, replica: 1'],
    ['kind: scale, service: other, replicas: 2', 'kind: kill, replica: 2'],
    ['kind: dns, lookup: x, answer: nxdomain, worker: 1', 'kind: dns, lookup: x, answer: nxdomain, replica: 1'],
  ])('of different subjects may overlap: %s and %s', (first, second) => {
    expect(planOf(scenario(`  - { at: 1s, ${first} }\n  - { at: 2s, ${second} }\n`, four)).faults).toHaveLength(2);
  });

  test('draw their replicas from the seed: the same in each trial, others when they come again', () => {
    const slots = (seed: number): readonly (readonly number[])[] =>
      planOf(
        scenario(
          '  - { at: 1s, kind: kill, count: 2, for: 1s, every: 2s, times: 10 }\n',
          `target: { replicas: 12 }\nseed: ${seed}\nrepeat: 2\n`,
        ),
      ).faults.map((fault) => ('target' in fault && fault.target.at === 'replicas' ? fault.target.slots : []));
    const [first, ...rest] = slots(1);
    expect(slots(1)).toEqual(slots(1));
    expect(slots(1)).not.toEqual(slots(2));
    expect(slots(1).slice(0, 10)).toEqual(slots(1).slice(10));
    expect(rest.some((one) => one.join() !== first?.join())).toBe(true);
    for (const one of slots(1)) expect(new Set(one).size).toBe(2);
  });

  test('come again with `every`, as often as fits without `times`', () => {
    const times = (keys: string): readonly (readonly number[])[] =>
      planOf(scenario(`  - { at: 1s, kind: leader, ${keys} }\n`)).faults.map(({ atMs, untilMs }) => [atMs, untilMs]);
    expect(times('for: 5s, every: 10s')).toEqual([
      [1000, 6000],
      [11_000, 16_000],
      [21_000, 26_000],
    ]);
    expect(times('stage: b, for: 9s, every: 9s, times: 2')).toEqual([
      [11_000, 20_000],
      [20_000, 29_000],
    ]);
  });

  test('that act once end when they were seen, or with `for` at their end', () => {
    const spans = (keys: string) =>
      planOf(scenario(`  - { at: 1s, ${keys} }\n`, four)).faults.map(({ untilMs, once }) => [untilMs, once]);
    expect(spans('kind: kill')).toEqual([[30_000, true]]);
    expect(spans('kind: restart')).toEqual([[30_000, true]]);
    expect(spans('kind: kill, for: 3s')).toEqual([[4000, undefined]]);
    expect(spans('kind: pause')).toEqual([[30_000, undefined]]);
  });

  test('may follow each other without a gap', () => {
    expect(
      planOf(scenario('  - { at: 1s, kind: scale, replicas: 3, for: 4s }\n  - { at: 5s, kind: scale, replicas: 5 }\n'))
        .faults,
    ).toHaveLength(2);
  });

  test('a threshold on recovery warns when the scenario has no fault', () => {
    const plan = planOf(
      'name: s\nworkload:\n  low-load: {}\nstages:\n  - { name: a, duration: 10s }\n' +
        'thresholds: [fault.recovery < 5s]\n',
    );
    expect(plan.warnings).toEqual([expect.stringContaining('the scenario has no faults')]);
  });
});
