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
      { id: 'f1', kind: 'scale', service: 'other', replicas: 1, atMs: 2_000, untilMs: 5_000 },
      { id: 'f2', kind: 'scale', service: 'mcp-server', replicas: 4, atMs: 15_000, untilMs: 30_000 },
      { id: 'f3', kind: 'scale', service: 'other', replicas: 1, atMs: 32_000, untilMs: 35_000 },
      { id: 'f4', kind: 'scale', service: 'mcp-server', replicas: 4, atMs: 45_000, untilMs: 60_000 },
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
    ['  - { at: 1s, kind: pause }\n', 's.yaml:8:21: `pause` is not one of: scale'],
    [
      '  - { at: 1s, kind: scale, replicas: 3, replica: 1 }\n',
      'unknown key `replica`\n    hint: did you mean "replicas"?',
    ],
    ['  - { at: 1s, kind: scale, replicas: 3, node: n1 }\n', 'unknown key `node`'],
    ['  - { at: 1s, kind: scale, replicas: 3, fraction: 50% }\n', 'unknown key `fraction`'],
  ])('are refused: %j', (faults, problem) => {
    const result = load(scenario(faults));
    expect(result.ok ? '' : formatProblems(result.problems)).toContain(problem);
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
