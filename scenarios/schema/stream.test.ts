import { describe, expect, test } from '@jest/globals';
import { load, planOf } from '../../tests/support/scenarios/files.js';

function scenario(work: string, top = ''): string {
  return `name: s\n${top}\nworkload:\n  w: { ${work} }\nstages:\n  - { name: a, duration: 10s }\n`;
}
const listening = 'profile: subscriber';
const publishing = 'profile: publisher';

function refusal(text: string): string {
  const result = load(text);
  return result.ok ? 'accepted' : result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
}

describe('a profile that only subscribes', () => {
  test('calls nothing, so nothing is due', () => {
    const [profile] = planOf(scenario(listening)).profiles;
    expect(profile).toMatchObject({ arrivals: { model: 'none' }, stream: { away: [], resume: true }, connections: 1 });
    expect(profile?.operations.map(({ method, weight }) => [method, weight])).toEqual([['resources/subscribe', 0]]);
    expect(planOf(scenario(listening)).warnings).toEqual([]);
  });

  test.each([
    [
      'a rate',
      `${listening}, arrivals: { rate: 1/s }`,
      'workload.w.arrivals: `arrivals` decides when to call, and this profile only subscribes',
    ],
    ['think time', `${listening}, thinkTime: 1s`, 'workload.w.thinkTime: `thinkTime` decides when to call'],
    [
      'sessions that several clients share',
      `${listening}, session: { mode: pool, size: 2 }`,
      'workload.w.session: a stream belongs to one client and stays open',
    ],
    [
      'a session for each request',
      `${listening}, session: per-request`,
      'workload.w.session: a stream belongs to one client and stays open',
    ],
    [
      'a stream that is not open',
      `${listening}, stream: { open: false }`,
      'workload.w.stream.open: a subscription needs an open stream',
    ],
    [
      'a stage that is not there',
      `${listening}, stream: { away: [b] }`,
      'workload.w.stream.away.0: no stage is named `b`',
    ],
    [
      'a weight',
      `${listening}, operations: [{ subscribe: "a://b", weight: 2 }]`,
      'workload.w.operations.0.weight: a subscription is made once for each session',
    ],
    [
      'a uri that would differ in each session',
      `${listening}, operations: [{ subscribe: "a://{{ uuid }}" }]`,
      'workload.w.operations.0.subscribe: each session makes its subscriptions again',
    ],
  ])('cannot have %s', (_, work, message) => {
    expect(refusal(scenario(work))).toContain(message);
  });
});

test.each([
  [
    'away, without a stream',
    'profile: low-load, stream: { away: [a] }',
    '',
    'workload.w.stream.away: this profile opens no stream',
  ],
  [
    'resume, without a stream',
    'profile: low-load, stream: { resume: false }',
    '',
    'workload.w.stream.resume: this profile opens no stream',
  ],
  [
    'a stream without a subscription in the stateless era',
    'profile: low-load, stream: { open: true }',
    'target: { era: modern }',
    'workload.w.stream.open: the stateless era',
  ],
  [
    'resuming in the stateless era',
    `${listening}, stream: { resume: true }`,
    'target: { era: modern }',
    'workload.w.stream.resume: the stateless era',
  ],
  [
    'progress of something else than a tool',
    'profile: low-load, operations: [{ list: tools, progress: true }]',
    '',
    'workload.w.operations.0.progress: only a tool call has progress',
  ],
  [
    'a publisher that chooses among topics',
    `${publishing}, operations: [{ tool: publish, arguments: { topic: "{{ pick a b }}", stamp: "{{ stamp }}" } }]`,
    '',
    'workload.w.operations.publish: `{{ pick }}` beside `{{ stamp }}`',
  ],
  [
    'two kinds of publications',
    `${publishing}, operations: [{ tool: publish, arguments: { stamp: "{{ stamp }}" } }, { tool: other, ` +
      'arguments: { stamp: "{{ stamp }}" } }]',
    '',
    'workload.w.operations.other: a second operation with `{{ stamp }}`',
  ],
  [
    'resuming over websocket',
    `${listening}, transport: websocket, stream: { resume: true }`,
    'target: { server: { url: "ws://localhost:1/mcp" } }',
    'workload.w.stream.resume: over websocket nothing can be resumed',
  ],
  [
    'subscribing over sdk',
    `${listening}, transport: sdk`,
    'target: { server: { url: "http://localhost:1/mcp" } }',
    'workload.w.transport: sdk has neither streams nor subscriptions',
  ],
  [
    'a remainder of dividing by 0',
    `${publishing}, operations: [{ tool: publish, arguments: { topic: "{{ client 0 }}" } }]`,
    '',
    '`{{ client 0 }}` does not fit',
  ],
])('refused: %s', (_, work, top, message) => {
  expect(refusal(scenario(work, top))).toContain(message);
});

describe('publishers and subscribers over stdio', () => {
  const over = (workload: string): string =>
    `name: s\ntarget: { server: { command: [x] } }\nworkload:\n${workload}stages:\n  - { name: a, duration: 10s }\n`;

  test('cannot reach each other, because each session has a server of its own', () => {
    const problem =
      'over stdio each session has a server of its own, so `subscriber` can never receive what `publisher` publishes';
    expect(refusal(over('  subscriber: {}\n  publisher: {}\n'))).toContain(problem);
  });

  test.each([
    [
      'a client receives its own publications',
      '  both: { profile: low-load, operations: [{ subscribe: "a://b" }, { tool: publish, arguments: { ' +
        'stamp: "{{ stamp }}" } }] }\n',
    ],
    ['no profile publishes', '  subscriber: {}\n'],
    ['no profile subscribes', '  publisher: {}\n'],
  ])('are not refused where %s', (_, workload) => {
    expect(refusal(over(workload))).toBe('accepted');
  });
});

test.each(['websocket', 'tcp', 'sse', 'stdio'])('over %s nothing can be resumed', (transport) => {
  const server = {
    websocket: 'url: "ws://localhost:1/mcp"',
    tcp: 'url: "tcp://localhost:1"',
    sse: 'url: "http://localhost:1/sse"',
    stdio: 'command: [x]',
  }[transport];
  expect(
    planOf(scenario(`${listening}, transport: ${transport}`, `target: { server: { ${server} } }`)).profiles[0]?.stream,
  ).toEqual({ away: [], resume: false });
});

test('an operation with a stamp publishes', () => {
  expect(planOf(scenario(publishing)).profiles[0]?.operations).toMatchObject([{ name: 'publish', stamped: true }]);
});
