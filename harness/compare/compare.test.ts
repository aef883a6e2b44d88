import { describe, expect, test } from '@jest/globals';
import { parseRule } from '../../scenarios/schema/grammar/rule.js';
import type { RulePlan } from '../../scenarios/schema/plan.js';
import { samplePlan } from '../../tests/support/analysis/sample-plan.js';
import { failing, sampleEvents, sampleTelemetry } from '../../tests/support/analysis/sample-run.js';
import { compareSides } from '../analysis/compare/sides.js';
import { RunFold } from '../analysis/fold-run.js';
import { mulberry32, normals } from '../analysis/statistics/distributions.js';
import { buildReport } from '../report/build-report.js';
import { obstacles, type Side } from './compare.js';
import { comparisonDocument, comparisonRow, exitCodeOf, overall, sideRow } from './document.js';
import { noiseOfRuns } from './noise.js';
import { renderComparison } from './page.js';
import { parseRun, type RunData } from './run-data.js';
import { renderComparisonJunit, renderComparisonMarkdown } from './words.js';

/** A run whose latencies are all `factor` times as long, and of which `failures` of each second's operations fail. */
function run(id: string, factor: number, failures = 0): RunData {
  const plan = samplePlan();
  const fold = new RunFold();
  for (const event of sampleEvents(plan)) fold.event(event);
  const lines = sampleTelemetry(plan, {
    latencyUs: (_second, i) => Math.round((2000 + i * 100) * factor),
    change: (series) => (failures > 0 ? failing(series, failures, 'rpc_-32603') : series),
  });
  for (const line of lines) fold.telemetry(line);
  const parsed = parseRun(JSON.parse(JSON.stringify(buildReport(fold.model()))));
  if (!parsed.ok) throw new Error(parsed.problem);
  return { ...parsed.run, run: { ...parsed.run.run, id }, verdict: { kind: 'passed', reasons: [] } };
}

const normal = normals(mulberry32(4));
/** Runs differ by about 2 % among themselves. */
function side(name: string, runs: number, factor: number, failures = 0): Side {
  const of = (at: number): RunData => run(`${name}-${at}`, factor * Math.exp(0.02 * normal()), failures);
  return { name, runs: Array.from({ length: runs }, (_, at) => of(at)) };
}

function rule(text: string): RulePlan {
  const parsed = parseRule(text, {});
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.rule;
}

const base = side('base', 6, 1);
const slower = side('slower', 6, 1.3);
const same = side('same', 6, 1);
const options = { rules: [rule('latency.p50 +10%')], paired: false, noise: undefined };

describe('six runs a side', () => {
  test('of which one is 30 % slower: regressed, and the other way round improved', () => {
    const [result] = compareSides(base, slower, options).rules;
    expect(result).toMatchObject({ answer: 'regressed', regressionExcluded: false });
    expect(result?.change?.change).toBeGreaterThan(0.2);
    expect(result?.change?.low).toBeLessThan(0.3);
    expect(result?.change?.high).toBeGreaterThan(0.3);
    expect(compareSides(slower, base, options).rules[0]?.answer).toBe('improved');
  });

  test('of which both are the same: equivalent, with the power to know', () => {
    const [result] = compareSides(base, same, options).rules;
    expect(result).toMatchObject({ answer: 'equivalent', regressionExcluded: true });
    expect(result?.power?.power).toBeGreaterThan(0.8);
  });

  test('in pairs, with the same answers', () => {
    const paired = { ...options, paired: true };
    expect(compareSides(base, slower, paired)).toMatchObject({
      design: 'paired runs',
      rules: [{ answer: 'regressed' }],
    });
  });

  test('with errors on one of them: by their share', () => {
    const rules = [rule('errors.rate +0.5pp'), rule('throughput -5%')];
    const found = compareSides(base, side('failing', 6, 1, 2), { ...options, rules }).rules;
    expect(found.map(({ answer }) => answer)).toEqual(['regressed', 'regressed']);
  });

  test('with known noise that is larger than the rule: no equality', () => {
    const noise = noiseOfRuns(base, options.rules, '2026-11-30T00:00:00.000Z');
    const noisy = {
      ...noise,
      spreads: { ...noise.spreads, 'latency.p50': { scale: 'ratio', deviation: 0.2, values: [] } },
    };
    const found = compareSides(base, same, { ...options, noise: noisy as typeof noise }).rules[0];
    expect(found).toMatchObject({ answer: 'inconclusive', power: { from: 'noise', spread: 0.2 } });
    expect(found?.settledBy).toBeGreaterThan(20);
  });

  test('show every percentile that has operations beyond it, and what stands out beside the rules', () => {
    const { shift, exploration } = compareSides(base, slower, options);
    expect(shift.map(({ percentile }) => percentile)).toContain(50);
    for (const { ratio, low, high } of shift) {
      expect(ratio).toBeCloseTo(1.3, 1);
      expect(low).toBeLessThanOrEqual(ratio);
      expect(high).toBeGreaterThanOrEqual(ratio);
    }
    expect(exploration.find(({ text }) => text === 'latency.mean')?.found).toBe(true);
    expect(exploration.find(({ text }) => text === 'throughput')?.found).toBe(false);
    expect(exploration.map(({ text }) => text)).not.toContain('latency.p50');
  });
});

describe('nothing is decided', () => {
  test('by a percentile with fewer than 100 operations beyond it', () => {
    const [result] = compareSides(base, slower, { ...options, rules: [rule('latency.p999 +10%')] }).rules;
    expect(result).toMatchObject({ answer: 'inconclusive', why: expect.stringMatching(/^only \d+ operations/) });
  });

  test('within one run, unless the difference is larger than runs are taken to differ; and never equality', () => {
    const [one, other] = [side('one', 1, 1), side('other', 1, 1)];
    expect(compareSides(one, other, options)).toMatchObject({
      design: 'within one run',
      rules: [
        { answer: 'inconclusive', regressionExcluded: false, why: expect.stringContaining('within one run only') },
      ],
    });
    expect(compareSides(one, side('thrice', 1, 3), options).rules[0]?.answer).toBe('regressed');
    expect(compareSides(one, side('tenth', 1, 1.1), options).rules[0]?.answer).toBe('inconclusive');
  });
});

describe('what makes a comparison meaningless', () => {
  const changedTo = (change: Partial<RunData>): Side => ({
    name: 'new',
    runs: base.runs.map((of) => ({ ...of, ...change })),
  });

  test.each<[string, Partial<RunData>, RegExp]>([
    [
      'another load',
      { environment: { ...base.runs[0]?.environment, scenario: { configHash: 'other' } } },
      /load \(hash\)/,
    ],
    [
      'another machine',
      { environment: { ...base.runs[0]?.environment, nodes: [{ cpuModel: 'Other 9000', cores: 64 }] } },
      /machine 1: .*Other 9000, 64 cores/,
    ],
    [
      'another era',
      { environment: { ...base.runs[0]?.environment, protocol: { era: 'modern' } } },
      /era: legacy, then modern/,
    ],
    [
      'another target',
      { plan: { target: { kind: 'url', urls: ['http://10.0.0.1/mcp'] } } },
      /url: unknown, then http:/,
    ],
    [
      'an invalid run',
      { verdict: { kind: 'invalid', reasons: ['worker 1 was late'] } },
      /is invalid: worker 1 was late/,
    ],
    ['a run without measured time', { blocks: [] }, /has no measured time/],
  ])('%s', (_, change, expected) => {
    expect(obstacles(base, changedTo(change)).join('\n')).toMatch(expected);
  });

  test('but not the version of the server, nor what jitters', () => {
    const node = { ...(base.runs[0]?.environment.nodes as readonly object[] | undefined)?.[0], loadAverage1m: 7 };
    const environment = { ...base.runs[0]?.environment, server: { name: 'bench', version: '2.0.0' } };
    expect(obstacles(base, changedTo({ environment }))).toEqual([]);
    expect(
      obstacles(
        changedTo({ environment: { nodes: [node] } }),
        changedTo({ environment: { nodes: [{ ...node, loadAverage1m: 1 }] } }),
      ),
    ).toEqual([]);
  });
});

test('every rendering holds the answer, and the document fits its schema', () => {
  const comparisons = [comparisonRow(base, slower, compareSides(base, slower, options))];
  const document = comparisonDocument.parse({
    schemaVersion: 1,
    id: 'compare-1',
    scenario: 'sample <&',
    version: '0.1.0',
    command: 'swarmbench compare base slower',
    createdAt: '2026-11-30T00:00:00.000Z',
    forced: ['era: legacy, then modern'],
    defaultRules: false,
    base: sideRow(base),
    comparisons,
    answer: overall(comparisons.map(({ answer }) => answer)),
    inconclusive: 'fail',
    exitCode: exitCodeOf(comparisons, 'fail'),
  });
  expect(document).toMatchObject({ answer: 'regressed', exitCode: 5 });
  const page = renderComparison(document);
  for (const part of ['id="shift"', 'id="spectrum"', 'id="p95"', 'id="throughput"', 'era: legacy', 'sample &lt;&amp;'])
    expect(page).toContain(part);
  expect(page).not.toMatch(/<script|NaN|Infinity/);
  expect(renderComparisonMarkdown(document)).toMatch(/❌ regressed.*\n[\s\S]*\| ❌ \| latency.p50 \+10% \|/);
  const junit = renderComparisonJunit(document);
  expect(junit).toContain('failures="1"');
  expect(junit).toContain('<failure type="regressed"');
});

test('the exit code is that of the worst rule, and an open improvement does not count', () => {
  const withRules = (answer: 'improved' | 'inconclusive' | 'regressed' | 'equivalent', regressionExcluded: boolean) => {
    const [one] = [comparisonRow(base, same, compareSides(base, same, options))];
    return [{ ...one, rules: one.rules.map((row) => ({ ...row, answer, regressionExcluded })) }];
  };
  expect(exitCodeOf(withRules('regressed', false), 'pass')).toBe(5);
  expect(exitCodeOf(withRules('inconclusive', false), 'fail')).toBe(6);
  expect(exitCodeOf(withRules('inconclusive', false), 'pass')).toBe(0);
  expect(exitCodeOf(withRules('inconclusive', true), 'fail')).toBe(0);
  expect(exitCodeOf(withRules('improved', true), 'fail')).toBe(0);
  expect(overall(['equivalent', 'improved'])).toBe('improved');
  expect(overall(['improved', 'inconclusive', 'regressed'])).toBe('regressed');
  expect(overall([])).toBe('inconclusive');
});
