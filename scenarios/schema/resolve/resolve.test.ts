import { describe, expect, test } from '@jest/globals';
import { minimal, planOf } from '../../../tests/support/scenarios/files.js';
import { type Plan, workerPlan } from '../plan.js';

function profile(keys: string, plan = planOf(minimal.replace('{}', `{ ${keys} }`))): Plan['profiles'][number] {
  const [only] = plan.profiles;
  if (only === undefined) throw new Error('no profile');
  return only;
}

describe('the window of one client, when the profile gives only a part of it', () => {
  test.each<[string, number, number, number]>([
    ['', 8, 8, 1],
    ['thinkTime: 1s', 1, 1, 1],
    ['maxInFlight: 3', 3, 3, 1],
    ['thinkTime: 1s, maxInFlight: 3', 3, 3, 1],
    ['connections: 2', 2, 2, 1],
    ['thinkTime: 1s, connections: 2', 1, 2, 1],
    ['pipeline: 16', 128, 8, 16],
    ['maxInFlight: 20, pipeline: 16', 20, 2, 16],
    ['maxInFlight: 10, connections: 16', 10, 16, 1],
    ['session: per-request', 8, 8, 1],
    ['session: per-request, maxInFlight: 2', 2, 2, 1],
  ])('%s', (keys, maxInFlight, connections, pipeline) => {
    expect(profile(keys)).toMatchObject({ maxInFlight, connections, pipeline });
  });
});

test('slots of all profiles are consecutive', () => {
  const plan = planOf(
    'name: s\nworkload:\n  a: { profile: low-load, clients: 3 }\n  b: { profile: flood, clients: 4 }\n' +
      '  c: { profile: normal }\nstages:\n  - { name: x, duration: 1s }\n',
  );
  expect(plan.profiles.map(({ name, firstSlot }) => [name, firstSlot])).toEqual([
    ['a', 0],
    ['b', 3],
    ['c', 7],
  ]);
});

describe('a workload', () => {
  test('overrides single keys of arrivals and misbehave, and whole values of all else', () => {
    const slow = planOf(
      'name: s\nworkload:\n  slow-client: { arrivals: { spacing: poisson }, operations: [{ ping: true }] }\n' +
        'stages:\n  - { name: x, duration: 1s }\n',
    );
    expect(slow.profiles[0]).toMatchObject({
      arrivals: { ratePerSecond: 1, spacing: 'poisson' },
      misbehave: { readBytesPerSecond: 16_384 },
      operations: [{ name: 'ping' }],
    });
  });

  test('uses a profile beside the scenario before a shipped one', () => {
    const mine = 'name: low-load\nclients: 2\nthinkTime: 1s\noperations: [{ ping: true }]\n';
    expect(planOf(minimal, {}, { 'profiles/low-load.yaml': mine }).profiles[0]?.clients).toBe(2);
  });

  test('may be empty', () => {
    expect(planOf(minimal.replace('{}', '')).profiles[0]?.clients).toBe(10);
  });

  test('keys can be shared with anchors', () => {
    const text =
      'name: s\nworkload:\n  low-load: &some { clients: 4 }\n  normal: *some\nstages:\n  - { name: x, duration: 1s }\n';
    expect(planOf(text).profiles.map(({ clients }) => clients)).toEqual([4, 4]);
  });
});

describe('the drain', () => {
  test('has room for the longest timeout, unless it is given', () => {
    expect(planOf(minimal).drainMs).toBe(10_000);
    expect(planOf(minimal.replace('{}', '{ timeout: 1m }')).drainMs).toBe(60_000);
    expect(planOf(`${minimal.replace('{}', '{ timeout: 1m }')}drain: 2s\n`).drainMs).toBe(2000);
  });
});

describe('warnings', () => {
  const warm = minimal.replace('  - {', '  - { name: warm-up, duration: 10s, measured: false }\n  - {');
  test.each([
    [
      'a window that connections cannot fill',
      minimal.replace('{}', '{ maxInFlight: 256, connections: 1, pipeline: 16 }'),
      /maxInFlight 256 cannot be reached with 1 connection\(s\) x pipeline 16; at most 16/,
    ],
    [
      'a pool larger than its clients',
      minimal.replace('{}', '{ session: { mode: pool, size: 99 } }'),
      /a pool of 99 sessions for 10 clients/,
    ],
    ['a drain shorter than a timeout', `${minimal}drain: 2s\n`, /its timeout \(5s\) is longer than the drain \(2s\)/],
    ['a stage shorter than the timeline resolves', minimal.replace('10s', '500ms'), /stage steady lasts 500ms/],
    [
      'a rate too low for its stage',
      minimal.replace('{}', '{ arrivals: { rate: 1/h } }'),
      /less than one operation due in stage steady/,
    ],
    [
      'a threshold on a stage that is not measured',
      `${warm}thresholds: ['latency.p95{stage="warm-up"} < 1s']\n`,
      /stage warm-up is not measured/,
    ],
    [
      'a threshold that is judged too late',
      `${minimal}thresholds: [{ check: errors.count < 1, after: 10s }]\n`,
      /never judged while running/,
    ],
    [
      'a threshold on connections that were all made before',
      `${warm}thresholds: [connect.p99 < 1s]\n`,
      /no client connects in a stage it is judged over/,
    ],
    [
      'a threshold on the memory of a server that runs elsewhere',
      `${minimal}target: { server: { url: "http://localhost/" } }\nthresholds: [usage.cpu < 90%]\n`,
      /only of servers that swarmbench starts/,
    ],
  ])('%s', (_, text, warning) => {
    expect(planOf(text).warnings).toEqual([expect.stringMatching(warning)]);
  });

  test.each([
    [
      'when sessions are renewed',
      `${warm.replace('{}', '{ session: { mode: churn, every: 5s } }')}thresholds: [connect.p99 < 1s]\n`,
    ],
    ['when clients start in the measured stage', `${minimal}thresholds: [connect.p99 < 1s]\n`],
  ])('there is none on connections %s', (_, text) => {
    expect(planOf(text).warnings).toEqual([]);
  });
});

describe('the hash of what decides the load', () => {
  const hash = (text: string, request = {}) => planOf(text, request).source.configHash;

  test.each([
    ['names and descriptions for people', minimal.replace('name: s\n', 'name: t\ndescription: other\n')],
    ['thresholds', `${minimal}thresholds: [errors.count < 1]\n`],
    ['the target', `${minimal}target: { server: { url: "http://localhost:1/" } }\n`],
    [
      'order and writing of keys',
      'workload: { low-load: { clients: 10 } }\nstages: [{ duration: 10000ms, name: steady }]\nname: s\n',
    ],
  ])('does not depend on %s', (_, text) => {
    expect(hash(text)).toBe(hash(minimal));
  });

  test.each([
    ['the seed', `${minimal}seed: 2\n`],
    ['a rate', minimal.replace('{}', '{ arrivals: { rate: 11/s } }')],
    ['a stage', minimal.replace('10s', '11s')],
    ['an operation', minimal.replace('{}', '{ operations: [{ ping: true }] }')],
    ['a timeout', minimal.replace('{}', '{ timeout: 6s }')],
    ['trials', `${minimal}repeat: 2\n`],
    ['a rule that may stop it', `${minimal}stopWhen: [{ check: errors.rate > 1% }]\n`],
  ])('changes with %s', (_, text) => {
    expect(hash(text)).not.toBe(hash(minimal));
  });

  test('changes with --time-scale', () => {
    expect(hash(minimal, { timeScale: 2 })).toBe(hash(minimal.replace('10s', '20s')));
  });
});

test('a plan is deeply frozen, and survives JSON', () => {
  const plan = planOf(minimal);
  expect(Object.isFrozen(plan.profiles[0]?.operations[0]?.params)).toBe(true);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('a worker gets only the parts that make load', () => {
  const plan = planOf(`${minimal}thresholds: [errors.count < 1]\n`);
  expect(Object.keys(workerPlan(plan)).sort()).toEqual([
    'drainMs',
    'limits',
    'preflight',
    'profiles',
    'scenario',
    'seed',
    'stages',
  ]);
});
