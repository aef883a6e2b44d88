import { describe, expect, test } from '@jest/globals';
import { load, minimal, problemsOf } from '../../tests/support/scenarios/files.js';

/** [what is wrong, the text of s.yaml, all problems as they are printed] */
const broken: readonly (readonly [string, string, string])[] = [
  [
    'an unknown key names the nearest one',
    minimal.replace('duration', 'durration'),
    's.yaml:5:21: unknown key `durration`\n    hint: did you mean "duration"?',
  ],
  [
    'a missing key beside an unknown one that looks like it is one mistake',
    minimal.replace('name: steady', 'nam: steady'),
    's.yaml:5:5: missing key `name`\n    hint: there is an unknown key `nam` beside it\n' +
      's.yaml:5:7: unknown key `nam`\n    hint: did you mean "name"?',
  ],
  [
    'an unknown key that is like no other lists all keys',
    `${minimal}zzz: 1\n`,
    's.yaml:6:1: unknown key `zzz`\n' +
      '    hint: keys here: name, description, seed, target, arms, interleave, workload, stages, faults, ' +
      'thresholds, stopWhen, compare, quantiles, repeat, limits, preflight, onWorkerLoss, drain',
  ],
  [
    'a duplicate key',
    `${minimal}name: t\n`,
    's.yaml:6:1: this key is already given in the same map\n    hint: keep one of the two',
  ],
  ['a missing key', 'name: s\nstages:\n  - { name: a, duration: 1s }\n', 's.yaml:1:1: missing key `workload`'],
  [
    'text with ": " in it and no quotes',
    `description: Few clients: many\n${minimal}`,
    's.yaml:1:14: Nested mappings are not allowed in compact mappings\n' +
      '    hint: text that contains ": " must stand in quotes',
  ],
  ['a tab', 'name: s\n\tseed: 1\n', 's.yaml:2:1: Tabs are not allowed as indentation\n    hint: indent with spaces'],
  ['an empty file', '', 's.yaml:1:1: expected a map of keys, found nothing'],
  ['a list for a scenario', '- a\n', 's.yaml:1:1: expected a map of keys, found a list'],
  [
    'two documents',
    `${minimal}---\n${minimal}`,
    's.yaml:6:1: a second document begins here\n    hint: put each document in a file of its own',
  ],
  ['an anchor that contains itself', `${minimal}description: &x [*x]\n`, 's.yaml:6:18: anchor "x" contains itself'],
  [
    'a number without a unit',
    minimal.replace('10s', '10'),
    's.yaml:5:31: `10` has no unit: expected a duration, such as 30s, 500ms or 1h30m',
  ],
  [
    "another quantity's unit",
    minimal.replace('10s', '10/s'),
    's.yaml:5:31: `10/s` is a rate: expected a duration, such as 30s, 500ms or 1h30m',
  ],
  [
    'a negative time',
    minimal.replace('10s', '-10s'),
    's.yaml:5:31: `-10s` is negative: expected a duration, such as 30s, 500ms or 1h30m',
  ],
  ['a stage of no length', minimal.replace('10s', '0s'), 's.yaml:5:31: must be longer than 0'],
  [
    'separators in a number',
    minimal.replace('{}', '{ arrivals: { rate: "1,000/s" } }'),
    's.yaml:3:33: `1,000/s` has separators between its digits: expected a rate, such as 100/s or 50/min',
  ],
  [
    'a fraction of a client',
    minimal.replace('{}', '{ clients: 2.5 }'),
    's.yaml:3:24: expected a whole number, not number `2.5`',
  ],
  ['no client', minimal.replace('{}', '{ clients: 0 }'), 's.yaml:3:24: must be at least 1, not number `0`'],
  ['text for a number', `${minimal}repeat: often\n`, 's.yaml:6:9: expected a number, not text `often`'],
  [
    'a wrong choice',
    `${minimal}onWorkerLoss: replce\n`,
    's.yaml:6:15: `replce` is not one of: fail, replace, continue\n    hint: did you mean "replace"?',
  ],
  [
    'a wrong choice that is like no other',
    `${minimal}onWorkerLoss: dunno\n`,
    's.yaml:6:15: `dunno` is not one of: fail, replace, continue',
  ],
  ['a list for a map', `${minimal}target: [a]\n`, 's.yaml:6:9: expected a map'],
  [
    'a profile that does not exist',
    minimal.replace('low-load', 'low-lod'),
    's.yaml:3:3: there is no profile `low-lod`\n    hint: did you mean "low-load"?',
  ],
  [
    'a base profile that does not exist',
    minimal.replace('{}', '{ profile: floood, clientz: 1 }'),
    's.yaml:3:24: there is no profile `floood`\n    hint: did you mean "flood"?\n' +
      's.yaml:3:32: unknown key `clientz`\n    hint: did you mean "clients"?',
  ],
  [
    'a workload without profiles',
    minimal.replace('\n  low-load: {}', ' {}'),
    's.yaml:2:1: the workload names no profile\n    hint: such as workload: { low-load: {} }',
  ],
  [
    'two stages of one name',
    `${minimal}  - { name: steady, duration: 1s }\n`,
    's.yaml:6:13: two stages are named `steady`\n    hint: thresholds and overrides find a stage by its name',
  ],
  [
    'a stage name with a dot',
    minimal.replace('steady', 'a.b'),
    's.yaml:5:13: a name has letters, digits, "-" and "_", and starts with a letter or a digit',
  ],
  ['no stage', minimal.replace(/stages:[^]*/, 'stages: []\n'), 's.yaml:4:9: at least one stage'],
  [
    'no measured stage',
    minimal.replace('10s', '10s, measured: false'),
    's.yaml:4:1: no stage is measured, so there would be nothing to report\n' +
      '    hint: leave `measured: false` out of at least one stage',
  ],
  [
    'a load that is not a percentage',
    minimal.replace('10s', '10s, load: 1'),
    's.yaml:5:42: `1` has no unit: expected a percentage, such as 50% or 0.5%',
  ],
  [
    'half a ramp',
    minimal.replace('10s', '10s, load: { from: 0% }'),
    's.yaml:5:42: a ramp has `from` and `to`\n    hint: { from: 0%, to: 100% }, or { steps: [10%, 50%], hold: 30s }',
  ],
  [
    'steps and a duration',
    minimal.replace('10s', '10s, load: { steps: [10%], hold: 1s }'),
    's.yaml:5:21: `steps` decide how long the stage lasts: number of steps x hold\n    hint: remove `duration`',
  ],
  [
    'steps without a hold',
    minimal.replace('duration: 10s', 'load: { steps: [10%] }'),
    's.yaml:5:27: `steps` and `hold` go together\n    hint: { steps: [10%, 25%, 50%, 100%], hold: 30s }',
  ],
  [
    'steps and a ramp',
    minimal.replace('duration: 10s', 'load: { steps: [10%], hold: 1s, to: 5% }'),
    's.yaml:5:27: a load is a ramp (`from`, `to`) or steps (`steps`, `hold`), not both',
  ],
  [
    'an unknown key of a load',
    minimal.replace('10s', '10s, load: { from: 0%, too: 100% }'),
    's.yaml:5:54: unknown key `too`\n    hint: did you mean "to"?',
  ],
  [
    'more clients than there are',
    minimal.replace('10s', '10s, load: 150%'),
    's.yaml:5:42: more than 100% of the clients cannot be active\n' +
      '    hint: raise `clients` in the workload, or use scale: rate',
  ],
  [
    'a closed loop whose rate is to be scaled',
    minimal.replace('{}', '{ thinkTime: 1s }').replace('10s', '10s, scale: rate'),
    's.yaml:5:43: scale: rate needs arrivals, and low-load has think time instead\n    hint: use scale: clients',
  ],
  [
    'both arrivals and think time',
    minimal.replace('{}', '{ thinkTime: 1s, arrivals: { rate: 1/s } }'),
    's.yaml:3:15: `arrivals` and `thinkTime` exclude each other\n' +
      '    hint: arrivals: calls at fixed times (open loop); thinkTime: pauses between calls (closed loop)',
  ],
  [
    'half a think time',
    minimal.replace('{}', '{ thinkTime: { min: 1s } }'),
    's.yaml:3:26: a think time is one duration, `min` with `max`, or `mean` with `distribution`\n' +
      '    hint: { min: 50ms, max: 150ms } or { mean: 100ms, distribution: exponential }',
  ],
  [
    'a think time whose longest pause is the shorter one',
    minimal.replace('{}', '{ thinkTime: { min: 2s, max: 1s } }'),
    's.yaml:3:42: `max` is less than `min`',
  ],
  [
    'a pool without a size',
    minimal.replace('{}', '{ session: pool }'),
    's.yaml:3:24: a pool needs a size\n    hint: { mode: pool, size: 10 }',
  ],
  [
    'churn without a period',
    minimal.replace('{}', '{ session: { mode: churn } }'),
    's.yaml:3:24: churn needs to know how often\n' +
      '    hint: { mode: churn, every: 100 operations } or { mode: churn, every: 30s }',
  ],
  [
    'churn with nonsense',
    minimal.replace('{}', '{ session: { mode: churn, every: often } }'),
    's.yaml:3:46: `often` is neither a number of operations nor a duration, such as "100 operations" or 30s',
  ],
  [
    'a size without a pool',
    minimal.replace('{}', '{ session: { mode: reuse, size: 3 } }'),
    's.yaml:3:39: `size` is for mode pool, not reuse',
  ],
  [
    'pipelining where a session has one request',
    minimal.replace('{}', '{ session: per-request, pipeline: 4 }'),
    's.yaml:3:37: with session per-request a connection carries one operation, so there is nothing to ' +
      'pipeline\n    hint: remove `pipeline`; use maxInFlight for more sessions at once',
  ],
  [
    'an operation that calls nothing',
    minimal.replace('{}', '{ operations: [{ weight: 1 }] }'),
    's.yaml:3:28: the operation does not say what to call\n' +
      '    hint: one of: tool, resource, prompt, ping, list, subscribe',
  ],
  [
    'an operation that calls two things',
    minimal.replace('{}', '{ operations: [{ tool: a, ping: true }] }'),
    's.yaml:3:28: the operation has tool and ping, and it can have only one of them\n' +
      '    hint: one of: tool, resource, prompt, ping, list, subscribe',
  ],
  ['no operation', minimal.replace('{}', '{ operations: [] }'), 's.yaml:3:27: at least one operation'],
  [
    'two operations of one name',
    minimal.replace('{}', '{ operations: [{ tool: a }, { tool: a }] }'),
    's.yaml:3:41: two operations are named `a`\n    hint: give this one a `name` of its own',
  ],
  [
    'arguments of a ping',
    minimal.replace('{}', '{ operations: [{ ping: true, arguments: {} }] }'),
    's.yaml:3:42: only a tool or a prompt takes arguments',
  ],
  [
    'a prompt with a number',
    minimal.replace('{}', '{ operations: [{ prompt: p, arguments: { n: 1 } }] }'),
    's.yaml:3:57: the arguments of a prompt must be text\n    hint: put the value in quotes',
  ],
  [
    'a weight of nothing',
    minimal.replace('{}', '{ operations: [{ tool: a, weight: 0 }] }'),
    's.yaml:3:47: must be more than 0',
  ],
  [
    'an unknown placeholder, at its column',
    minimal.replace('{}', '{ operations: [{ tool: a, arguments: { m: "x {{ txt 3 }}" } }] }'),
    's.yaml:3:58: unknown placeholder `txt`\n    hint: did you mean "text"?',
  ],
  [
    'a placeholder without all of its words',
    minimal.replace('{}', '{ operations: [{ tool: a, arguments: { m: "{{ int 5 }}" } }] }'),
    's.yaml:3:56: `{{ int 5 }}` does not fit\n' +
      '    hint: write {{ int 1 100 }}: a random whole number from the first to the second',
  ],
  [
    'an open placeholder',
    minimal.replace('{}', '{ operations: [{ tool: a, arguments: { m: "{{ uuid" } }] }'),
    's.yaml:3:56: `{{` without `}}`',
  ],
  [
    'a url with a scheme of no transport',
    `${minimal}target: { server: { url: "ftp://localhost/" } }\n`,
    's.yaml:6:26: `ftp:` is not the scheme of a transport: they are http: https: ws: wss: tcp:\n' +
      '    hint: such as http://localhost:3000/mcp',
  ],
  [
    'a url that cannot be parsed',
    `${minimal}target: { server: { url: localhost } }\n`,
    's.yaml:6:26: `localhost` is not a url\n    hint: such as http://localhost:3000/mcp',
  ],
  [
    'a password in a url',
    `${minimal}target: { server: { url: "http://a:b@localhost/" } }\n`,
    "s.yaml:6:26: the url has a user name or password in it\n    hint: use --header 'Authorization: ...' instead",
  ],
  [
    'a server without url, image and command',
    `${minimal}target: { server: {} }\n`,
    's.yaml:6:19: the server has no url, image or command\n' +
      '    hint: reference, sink, { url: http://localhost:3000/mcp } or { image: my/server:1, port: 3000 }',
  ],
  [
    'replicas of a server that runs already',
    `${minimal}target: { server: { url: "http://localhost/" }, replicas: 2 }\n`,
    's.yaml:6:49: `replicas` is for servers that swarmbench starts, not for a url\n    hint: remove it',
  ],
  [
    'headers without a url',
    `${minimal}target: { headers: { x: y } }\n`,
    's.yaml:6:11: `headers` is for a url, not for `reference`\n    hint: use server: { url: ... } or --target URL',
  ],
  [
    'a header that the client sets itself',
    `${minimal}target: { server: { url: "http://localhost/" }, headers: { Mcp-Session-Id: x } }\n`,
    's.yaml:6:76: the client itself sets the header `Mcp-Session-Id`\n    hint: remove it',
  ],
  [
    'a header from an unset variable',
    `${minimal}target: { server: { url: "http://localhost/" }, headers: { authorization: "Bearer \${TOKEN}" } }\n`,
    's.yaml:6:75: the environment variable TOKEN is not set\n    hint: export TOKEN=...',
  ],
  [
    'more clients than the limit',
    `${minimal}limits: { clients: 5 }\n`,
    's.yaml:6:11: the scenario asks for 10 clients; the limit is 5\n    hint: if this is meant, raise limits.clients',
  ],
  [
    'a higher rate than the limit',
    `${minimal}limits: { rate: 50/s }\n`,
    's.yaml:6:11: the scenario asks for 100/s; the limit is 50/s\n    hint: if this is meant, raise limits.rate',
  ],
  [
    'a longer run than the limit',
    minimal.replace('10s', '25h'),
    's.yaml:4:1: the scenario asks for 25h; the limit is 24h\n    hint: if this is meant, raise limits.duration',
  ],
];

describe('a problem with a scenario says where it is, what is wrong and what would be right:', () => {
  test.each(broken)('%s', (_, text, expected) => {
    expect(problemsOf(text)).toBe(expected);
  });

  test('all problems come at once, in the order of the file', () => {
    const text = `name: s
sed: 3
workload:
  low-load: { clients: many, timeout: 5, operations: [{ tool: a, arguments: { m: "{{ nope }}" } }] }
  nobody: {}
stages:
  - { name: steady, duration: 10, load: 50 }
  - { nam: b }
thresholds:
  - latency.p95{stage="stedy"} < 5ms
  - errors.count.p95 < 1
faults: [{ at: 1s }]
onWorkerLoss: 3
`;
    expect(
      problemsOf(text)
        .split('\n')
        .filter((line) => !line.startsWith(' ')),
    ).toEqual([
      's.yaml:2:1: unknown key `sed`',
      's.yaml:4:24: expected a number, not text `many`',
      's.yaml:4:39: `5` has no unit: expected a duration, such as 30s, 500ms or 1h30m',
      's.yaml:4:83: unknown placeholder `nope`',
      's.yaml:5:3: there is no profile `nobody`',
      's.yaml:7:31: `10` has no unit: expected a duration, such as 30s, 500ms or 1h30m',
      's.yaml:7:41: `50` has no unit: expected a percentage, such as 50% or 0.5%',
      's.yaml:8:5: missing key `name`',
      's.yaml:8:7: unknown key `nam`',
      's.yaml:10:23: no stage is named `stedy`',
      's.yaml:11:5: `errors.count` is a single number: it has no p95',
      's.yaml:12:10: missing key `kind`',
      's.yaml:13:15: `3` is not one of: fail, replace, continue',
    ]);
  });

  test("a wrong value in a profile is reported in the profile's file, once", () => {
    const text = minimal.replace('low-load: {}', 'mine: {}\n  yours: { profile: mine }');
    const profile = 'name: mine\nclients: 3\narrivals: { rate: 5 }\noperations:\n  - { tool: echo }\n';
    expect(problemsOf(text, {}, { 'profiles/mine.yaml': profile })).toBe(
      'profiles/mine.yaml:3:19: `5` has no unit: expected a rate, such as 100/s or 50/min',
    );
  });

  test('a profile has the name of its file', () => {
    const text = minimal.replace('low-load', 'mine');
    const profile = 'name: other\nclients: 3\narrivals: { rate: 5/s }\noperations:\n  - { tool: echo }\n';
    expect(problemsOf(text, {}, { 'profiles/mine.yaml': profile })).toBe(
      'profiles/mine.yaml:1:7: a profile has the name of its file: `mine`',
    );
  });

  test('problems carry a stable code and the path as --set would name it', () => {
    const result = load(minimal.replace('10s', '10'));
    expect(result).toMatchObject({
      ok: false,
      problems: [{ code: 'INVALID_VALUE', path: 'stages.steady.duration', file: 's.yaml', line: 5, column: 31 }],
    });
  });

  test('aliases that multiply are a problem, and do not fill the memory', () => {
    const layers = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
    expect(problemsOf(`l0: &l0 [1]\n${layers.join('\n')}\n`)).toContain('more than 200000 values');
  });
});

describe('a scenario that cannot be found', () => {
  test('by name: the nearest name is a hint', () => {
    expect(problemsOf(minimal, { scenario: 'smoek' })).toBe(
      'smoek:1:1: there is no scenario `smoek`\n    hint: did you mean "smoke"?',
    );
  });

  test('by path', () => {
    expect(problemsOf(minimal, { scenario: './gone.yaml' })).toBe('./gone.yaml:1:1: there is no such file');
  });
});

test.each([
  ['{ port: 80 }', 's.yaml:6:19: the server has no url, image or command'],
  ['{ image: x, path: mcp }', 's.yaml:6:37: a path begins with /'],
  ['{ image: x, url: "http://localhost/" }', 's.yaml:6:21: `image` is for a server in a container, not for a url'],
])('a server of %s is refused', (server, problem) => {
  expect(problemsOf(`${minimal}target: { server: ${server} }\n`).split('\n    hint')[0]).toBe(problem);
});

describe('keys that do not go together are refused:', () => {
  test('pipelining over a transport that has none', () => {
    expect(problemsOf(minimal.replace('{}', '{ transport: sdk, pipeline: 2 }'))).toContain(
      'over sdk a connection carries one request at a time',
    );
    expect(problemsOf(minimal.replace('{}', '{ transport: sdk, connections: 2, pipeline: 1 }'))).toBe('');
  });

  test('reconnecting with a pool or with a session for each request', () => {
    const storm = (session: string): string =>
      minimal.replace('{}', `{ session: ${session}, misbehave: { reconnect: { every: 1s } } }`);
    expect(problemsOf(storm('{ mode: pool, size: 2 }'))).toContain('`reconnect` does not go with session: pool');
    expect(problemsOf(storm('per-request'))).toContain('`reconnect` does not go with session: per-request');
    expect(problemsOf(storm('reuse'))).toBe('');
  });

  test('being idle and calling at the same time', () => {
    const idle = (more: string): string => minimal.replace('{}', `{ ${more} }`);
    expect(problemsOf(idle('misbehave: { idle: 1s }'))).toBe('');
    expect(problemsOf(idle('arrivals: { rate: 1/s }, misbehave: { idle: 1s }'))).toContain(
      '`arrivals` and `misbehave.idle` exclude each other',
    );
    expect(problemsOf(idle('misbehave: { idle: 1s, abort: 1% }'))).toContain('`idle` and `abort` exclude each other');
    expect(problemsOf(idle('session: per-request, misbehave: { idle: 1s }'))).toContain(
      'an idle client keeps its session',
    );
    expect(problemsOf(idle('maxInFlight: 2, misbehave: { idle: 1s }'))).toContain('at most one operation on the wire');
  });

  test('a stage for a profile that is not in the workload', () => {
    expect(problemsOf(minimal.replace('duration: 10s', 'duration: 10s, profiles: [low-laod]'))).toContain(
      'no profile of the workload is named `low-laod`\n    hint: did you mean "low-load"?',
    );
  });

  test('breaking more than all operations', () => {
    expect(problemsOf(minimal.replace('{}', '{ misbehave: { abort: 60%, malformed: 41% } }'))).toContain(
      'together are more than all operations',
    );
    expect(problemsOf(minimal.replace('{}', '{ misbehave: { abort: 60%, malformed: { share: 40% } } }'))).toBe('');
  });

  test('ping in the stateless era, however the era was set', () => {
    const pinging = minimal.replace('{}', '{ operations: [{ ping: true }] }');
    const message = 's.yaml:3:30: `ping` does not exist in the stateless era (2026-07-28)';
    expect(problemsOf(`${pinging}target: { era: modern }\n`)).toContain(message);
    expect(problemsOf(pinging, { era: 'modern' })).toContain(message);
    expect(problemsOf(pinging)).toBe('');
  });

  test('a resource uri with templates outside the session era', () => {
    const templated = minimal.replace('{}', '{ operations: [{ resource: "bench://topic/{{ client }}" }] }');
    expect(problemsOf(templated)).toContain('s.yaml:3:40: a resource uri with templates needs target.era: legacy');
    expect(problemsOf(templated, { era: 'legacy' })).toBe('');
  });
});
