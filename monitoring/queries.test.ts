import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { knownMetrics, TARGET_LABELS } from '../tests/support/monitoring/known-metrics.js';
import { dashboardQueries, namesIn, rulesIn, withoutLimit } from '../tests/support/monitoring/queries.js';
import { packageRoot } from '../tests/support/package-root.js';

const prometheus = join(packageRoot, 'monitoring', 'prometheus');
const { recorded, alerts } = rulesIn(readFileSync(join(prometheus, 'alerts.yml'), 'utf8'));

describe('a query names', () => {
  test.each([
    ['up', ['up'], []],
    ['sum by (a, b) (rate(x_total{c="d", e=~"f.*"}[5m])) / on (g) y > 0.5', ['x_total c e', 'y'], ['a', 'b', 'g']],
    ['histogram_quantile(0.95, sum by (le) (rate(h_bucket[1m])))', ['h_bucket'], ['le']],
    ['record:of:this{stack="$stack"} or 0 * vector(1)', ['record:of:this stack'], []],
    ['sum(x{a="b", c!~"d|e{f}"}) offset 5m unless z', ['x a c', 'z'], []],
  ])('%s', (query, series, grouping) => {
    const found = namesIn(query);
    expect(found.series.map(({ name, labels }) => [name, ...labels].join(' '))).toEqual(series);
    expect(found.grouping).toEqual(grouping);
  });
});

test.each([
  ['a > 0.5', 'a'],
  ['a{b="c"} == 0', 'a{b="c"}'],
  ['a / (b > 0) < 0.5', 'a / (b > 0)'],
  ['a > on (s) max by (s) (b)', 'a'],
])('%s without its limit is %s', (alert, expression) => {
  expect(withoutLimit(alert)).toBe(expression);
});

test('every query of dashboards and rules names a metric and labels that some program exports', async () => {
  const known = new Map([
    ...(await knownMetrics()),
    ...recorded.map(({ where, expr }) => [where, namesIn(expr).grouping] as const),
  ]);
  const wrong = [...dashboardQueries(), ...recorded, ...alerts].flatMap(({ where, expr }) =>
    namesIn(expr).series.flatMap(({ name, labels }) => {
      const has = known.get(name);
      if (has === undefined) return [`${where}: no program has ${name}`];
      return labels
        .filter((label) => !has.includes(label) && !TARGET_LABELS.some((each) => each === label))
        .map((label) => `${where}: ${name} has no label ${label}`);
    }),
  );
  expect(wrong).toEqual([]);
});

test('every alert of the design exists, with one test that fires it and one that does not', () => {
  expect(alerts.map(({ where }) => where).sort()).toEqual([
    'ControllerCpuHigh',
    'ErrorRateHigh',
    'EventLoopDelayHigh',
    'GatewayWithoutServers',
    'HeartbeatTimeouts',
    'LatencyAboveThreshold',
    'NodeCpuHigh',
    'NodeDiskFull',
    'NodeDown',
    'NodeMemoryHigh',
    'ReplicaDied',
    'ReplicaDown',
    'ReplicasMissing',
    'ScrapeTargetDown',
    'ThroughputBelowHalfOfOffered',
    'WorkersMissing',
    'WorkersSaturated',
  ]);
  const { tests } = parse(readFileSync(join(prometheus, 'alerts.test.yml'), 'utf8')) as {
    tests: readonly {
      name: string;
      alert_rule_test: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
    }[];
  };
  const outcomes = tests.flatMap(({ name, alert_rule_test }) =>
    alert_rule_test.map(({ alertname, exp_alerts }) => ({
      name,
      outcome: `${alertname} ${exp_alerts.length > 0 ? 'fires' : 'stays quiet'}`,
    })),
  );
  expect(outcomes.filter(({ name, outcome }) => name !== outcome)).toEqual([]);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(
    alerts.flatMap(({ where }) => [`${where} fires`, `${where} stays quiet`]).sort(),
  );
});
