/**
 * Comparisons of trials that are drawn from the log of a real run, 200 of equal ones and 200 of ones that differ by
 * 10 %: what is found, and how often, must be what the answers say of themselves.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cellLowest, cellOf, cellWidth } from '../../client-sim/protocol/histogram-codec.js';
import { parseRule } from '../../scenarios/schema/grammar/rule.js';
import { packageRoot } from '../../tests/support/package-root.js';
import type { BlockData } from '../analysis/compare/figures-of.js';
import { judgeRules, type RuleResult, type Trials } from '../analysis/compare/sides.js';
import { decodeCounts, HdrCounts } from '../analysis/merge/hdr-counts.js';
import { mulberry32 } from '../analysis/statistics/distributions.js';
import { mean } from '../analysis/statistics/numbers.js';

const COMPARISONS = 200;
const TRIALS = 6;
/** So short that trials differ by some percent, as those of a busy machine do. */
const SECONDS = 4;

/** One second of a run each, with one operation: its latencies, HdrHistogram V2 compressed, base64. */
const seconds = JSON.parse(
  readFileSync(join(packageRoot, 'tests/support/analysis/real-seconds.json'), 'utf8'),
) as readonly string[];
const real = seconds.map((text) => decodeCounts(text));
const slower = real.map((counts) => longer(counts, 1.1));

function longer(counts: HdrCounts, factor: number): HdrCounts {
  const cells = new Map<number, number>();
  counts.each((cell, count) => {
    const to = cellOf(Math.round((cellLowest(cell) + cellWidth(cell) / 2) * factor));
    cells.set(to, (cells.get(to) ?? 0) + count);
  });
  return new HdrCounts().addCells([...cells].flat());
}

const random = mulberry32(11);

function side(from: readonly HdrCounts[]): Trials {
  const block = (): BlockData => {
    const latency = new HdrCounts();
    for (let drawn = 0; drawn < SECONDS; drawn += 1)
      latency.addAll(from[Math.floor(random() * from.length)] ?? new HdrCounts());
    const { total } = latency;
    const counts = { offered: total, sent: total, succeeded: total, failed: 0 };
    const cell = { profile: 'p', operation: 'o', ...counts, latency, service: latency, latencyFloor: latency };
    return { stage: 's', trial: 1, seconds: SECONDS, cells: [cell], connect: new HdrCounts() };
  };
  return { runs: Array.from({ length: TRIALS }, () => ({ blocks: [block()] })) };
}

const parsed = parseRule('latency.p50 +10%', {});
if (!parsed.ok) throw new Error(parsed.problem.message);
const options = { rules: [parsed.rule], paired: false, noise: undefined };

function comparisons(changed: readonly HdrCounts[]): readonly RuleResult[] {
  return Array.from({ length: COMPARISONS }, () =>
    judgeRules(side(real), side(changed), options).map(({ result }) => result),
  ).flat();
}

function shareOf(results: readonly RuleResult[], answer: RuleResult['answer']): number {
  return results.filter((result) => result.answer === answer).length / results.length;
}

describe('200 comparisons of trials from a real log', () => {
  test('of equal sides: at most one in twenty is called a change, and equality only with the power to know', () => {
    const results = comparisons(real);
    expect(shareOf(results, 'regressed')).toBeLessThanOrEqual(0.05);
    expect(shareOf(results, 'improved')).toBeLessThanOrEqual(0.05);
    for (const { answer, power } of results)
      if (answer === 'equivalent') expect(power?.power).toBeGreaterThanOrEqual(0.8);
  });

  test('of sides that differ by 10 %: found as often as was said, within ten points, and never called equal', () => {
    const results = comparisons(slower);
    const said = mean(results.map(({ power }) => power?.power ?? 0));
    expect(Math.abs(shareOf(results, 'regressed') - said)).toBeLessThanOrEqual(0.1);
    expect(shareOf(results, 'equivalent')).toBeLessThanOrEqual(0.05);
    expect(shareOf(results, 'improved')).toBe(0);
  });
});
