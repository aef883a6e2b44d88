import { describe, expect, test } from '@jest/globals';
import { parseRule } from './rule.js';

const known = { operation: ['echo', 'search'], profile: ['caller'], stage: ['steady'] };

describe('a rule of a comparison', () => {
  test.each<[string, object]>([
    ['latency.p95 +10% and +2ms', { metric: 'latency.p95', worse: 'higher', relative: 0.1, absolute: 2 }],
    ['latency.p95 +2ms and +10%', { relative: 0.1, absolute: 2 }],
    [
      'latency.p99{operation="search",stage="steady"} +1.5s',
      { labels: { operation: 'search', stage: 'steady' }, absolute: 1500 },
    ],
    ['throughput -5%', { metric: 'throughput', worse: 'lower', relative: 0.05 }],
    ['throughput -50/s', { absolute: 50 }],
    ['throughput -60/min', { absolute: 1 }],
    ['errors.rate +0.5pp', { metric: 'errors.rate', worse: 'higher', absolute: 0.005 }],
    ['errors.rate + 10 %', { relative: 0.1, text: 'errors.rate +10%' }],
    ['delivered -1pp', { worse: 'lower', absolute: 0.01 }],
  ])('%s', (text, expected) => {
    expect(parseRule(text, known)).toMatchObject({ ok: true, rule: expected });
  });

  test.each<[string, RegExp]>([
    ['latency.p95', /by how much/],
    ['latency.p95 -10%', /worse when it is higher: the sign is \+/],
    ['throughput +5%', /worse when it is lower: the sign is -/],
    ['latency.max +10%', /single operation/],
    ['latency +10%', /choose a statistic/],
    ['latency.p95 +10', /not a unit/],
    ['latency.p95 +10kg', /not a unit/],
    ['errors.rate +5ms', /not a unit/],
    ['latency.p95 +10% +2ms', /not how much worse/],
    ['latency.p95 +10% and', /not how much worse/],
    ['latency.p95 +10% and +5%', /both parts are relative/],
    ['latency.p95 +1% and +2ms and +3ms', /not how much worse/],
    ['latency.p95 +0%', /a change of 0/],
    ['sessions.lost +1', /not compared by/],
    ['latency.p95{replica="x"} +10%', /not compared by/],
    ['connect.p95{profile="caller"} +10%', /not compared by/],
    ['latency.p95{operation="eco"} +10%', /no operation is named `eco`/],
    ['latency.p95{operation="a+b"} +10%', /no operation is named/],
    ['', /expected a metric/],
    ['+10%', /expected a metric/],
  ])('%j is refused', (text, message) => {
    const parsed = parseRule(text, known);
    expect(parsed.ok ? '' : parsed.problem.message).toMatch(message);
  });

  test('of any length is read in time linear to its size', () => {
    expect(parseRule(`latency.p95 +10% ${'and '.repeat(100_000)}`, known).ok).toBe(false);
    expect(parseRule(`latency.p95 ${' '.repeat(200_000)}+10%x`, known).ok).toBe(false);
  });
});
