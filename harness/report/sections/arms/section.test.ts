import { describe, expect, test } from '@jest/globals';
import type { OperationSeries } from '../../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../../scenarios/schema/plan.js';
import { foldRun } from '../../../../tests/support/analysis/fold-run.js';
import { sampleEvents, sampleTelemetry } from '../../../../tests/support/analysis/sample-run.js';
import { planOf } from '../../../../tests/support/scenarios/files.js';
import { buildReport } from '../../build-report.js';
import { renderHtml } from '../../html/page.js';
import { type Report, reportSchema } from '../../schema.js';
import { renderMarkdown } from '../../text/markdown.js';

/** Turns of two seconds, each after one second of settling. */
function planWith(more: string, blocks = 8): Plan {
  return planOf(`name: s
workload:
  caller: { profile: low-load, clients: 4, arrivals: { rate: 200/s }, operations: [{ tool: echo }, { tool: sleep }] }
arms: { direct: {}, same: {}, slow: {} }
interleave: { blocks: ${blocks}, settle: 700ms }
stages: [{ name: steady, duration: ${blocks * 2}s }]
${more}`);
}

/** The machine becomes slower by 2 % a turn, and `slow` adds 3 ms to its echo. */
function reportOf(plan: Plan, addedUs: Readonly<Record<string, number>>, untilMs = Infinity): Report {
  const armAt = (second: number): string =>
    plan.stages.findLast(({ startMs }) => startMs <= second * 1000)?.arm ?? 'direct';
  const telemetry = sampleTelemetry(plan, {
    latencyUs: (second, i) => {
      const noise = 1 + 0.02 * Math.sin(second * 12.9898) + (i % 40) / 100;
      return Math.round(10_000 * noise * (1 + 0.006 * second) + (addedUs[armAt(second)] ?? 0));
    },
    silentAfterMs: { 0: untilMs, 1: untilMs },
    change: (series, second) => (series.profile.endsWith(`@${armAt(second)}`) ? series : silent(series)),
  });
  return buildReport(foldRun(sampleEvents(plan), telemetry));
}

function silent(series: OperationSeries): OperationSeries {
  return { ...series, offered: 0, sent: 0, succeeded: 0, histograms: {} };
}

describe('arms', () => {
  const report = reportOf(planWith('compare: [latency.p50 +10%, latency.p50 +300%]'), { slow: 3000 });
  const overhead = (arm: string, statistic: string) =>
    report.arms?.overheads.find(
      (one) => one.arm === arm && one.statistic === statistic && one.of === 'latency' && one.operation === null,
    );

  test('the report has the keys of its schema', () => {
    expect(reportSchema.parse(report)).toEqual(report);
    expect(report.arms?.blocks).toEqual({ planned: 8, complete: 8 });
  });

  test.each(['p50', 'p95', 'mean'])('what an arm adds is found although the machine drifts (%s)', (statistic) => {
    const added = overhead('slow', statistic);
    expect(Math.abs((added?.addedMs.value ?? 0) - 3)).toBeLessThan(0.5);
    expect(added?.addedMs.low ?? 0).toBeGreaterThan(2);
    expect(added?.addedMs.high ?? 0).toBeLessThan(4);
    // The smallest that eight pairs can have.
    expect(added?.p).toBeCloseTo(2 / 256, 6);
  });

  test('an arm that is the same adds nothing that the interval would not hold', () => {
    const { low, high } = overhead('same', 'p50')?.addedMs ?? { low: null, high: null };
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
  });

  test('it is also told of each operation', () => {
    expect(report.arms?.overheads.filter(({ operation }) => operation === 'sleep').map(({ arm }) => arm)).toEqual([
      ...['same', 'same', 'same'],
      ...['slow', 'slow', 'slow'],
    ]);
  });

  test('rules decide as in a comparison of runs', () => {
    expect(report.arms?.rules.map(({ arm, rule, answer }) => [arm, rule, answer])).toEqual([
      ['same', 'latency.p50 +10%', 'equivalent'],
      ['same', 'latency.p50 +300%', 'equivalent'],
      ['slow', 'latency.p50 +10%', 'regressed'],
      ['slow', 'latency.p50 +300%', 'equivalent'],
    ]);
    expect(report.arms?.defaultRules).toBe(false);
  });

  test('page and Markdown show it', () => {
    const page = renderHtml(report).replaceAll(/<[^>]+>/g, ' ');
    expect(page).toContain('Overhead over direct');
    expect(page).toMatch(/slow\s+latency p50/);
    expect(renderMarkdown(report)).toMatch(/\| slow \| latency p50 \|.*\+\d\.?\d* ms \(/);
  });
});

describe('with fewer than six blocks that were measured to their end', () => {
  const plan = planWith('');
  const lastOfFourth = plan.stages.filter(({ block }) => block === 4).at(-1);
  const report = reportOf(plan, { slow: 3000 }, (lastOfFourth?.startMs ?? 0) + (lastOfFourth?.durationMs ?? 0));

  test('there is an estimate without an interval, and nothing is decided', () => {
    expect(report.arms?.blocks).toEqual({ planned: 8, complete: 4 });
    const slow = report.arms?.overheads.find(({ arm, statistic }) => arm === 'slow' && statistic === 'p50');
    expect(Math.abs((slow?.addedMs.value ?? 0) - 3)).toBeLessThan(0.5);
    expect(slow?.addedMs).toMatchObject({ low: null, high: null });
    expect(new Set(report.arms?.rules.map(({ answer }) => answer))).toEqual(new Set(['inconclusive']));
  });
});

test('a run without arms has none', () => {
  const plan = planOf('name: s\nworkload: { low-load: {} }\nstages: [{ name: steady, duration: 5s }]\n');
  expect(reportOf(plan, {}).arms).toBeUndefined();
});
