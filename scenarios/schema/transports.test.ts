import { describe, expect, test } from '@jest/globals';
import { minimal, planOf, problemsOf } from '../../tests/support/scenarios/files.js';

function over(transport: string, more = ''): string {
  return minimal.replace('{}', `{ transport: ${transport}${more} }`);
}
function at(url: string, more = ''): string {
  return `target: { server: { url: "${url}" }${more} }\n`;
}
function profile(text: string) {
  return planOf(text).profiles[0];
}

describe('over websocket and tcp', () => {
  test.each(['websocket', 'tcp'])('%s: the session is one connection, and the window is its pipeline', (transport) => {
    expect(profile(over(transport))).toMatchObject({ transport, connections: 1, pipeline: 8, maxInFlight: 8 });
    expect(profile(over(transport, ', thinkTime: 1s'))).toMatchObject({ connections: 1, pipeline: 1, maxInFlight: 1 });
    expect(profile(over(transport, ', maxInFlight: 100'))).toMatchObject({
      connections: 1,
      pipeline: 100,
      maxInFlight: 100,
    });
    expect(profile(over(transport, ', pipeline: 16'))).toMatchObject({ connections: 1, pipeline: 16, maxInFlight: 16 });
    expect(planOf(over(transport, ', pipeline: 4, maxInFlight: 6')).warnings).toEqual([
      expect.stringContaining('at most 4 are on the wire at once'),
    ]);
  });

  test('session per-request has as many sessions as maxInFlight', () => {
    expect(profile(over('tcp', ', session: per-request, maxInFlight: 5'))).toMatchObject({
      maxInFlight: 5,
      connections: 1,
      pipeline: 5,
    });
    expect(problemsOf(over('tcp', ', session: per-request, pipeline: 5'))).toContain('there is nothing to pipeline');
  });

  test('gateway.sticky is refused, because a connection stays where it is', () => {
    expect(problemsOf(over('tcp', ', gateway: { sticky: none }'))).toContain(
      'a session over tcp is one connection, which stays at its replica without `gateway.sticky`',
    );
  });

  test('several connections are refused', () => {
    expect(problemsOf(over('websocket', ', connections: 4'))).toContain(
      'a session over websocket is one connection: 4 of them would be as many sessions',
    );
    expect(problemsOf(over('websocket', ', connections: 1'))).toBe('');
  });
});

describe('a transport and its target', () => {
  test.each([
    ['websocket', 'ws://localhost:5555/mcp', 'ws://localhost:5555/mcp'],
    ['websocket', 'wss://10.0.0.1#x', 'wss://10.0.0.1/'],
    ['tcp', 'tcp://localhost:5555', 'tcp://localhost:5555'],
    ['tcp', 'tcp://[::1]:5555/', 'tcp://[::1]:5555'],
    ['tcp', 'tcp://0x7f.1:80', 'tcp://127.0.0.1:80'],
  ])('%s reaches %s', (transport, url, urlInPlan) => {
    expect(planOf(over(transport) + at(url)).target).toMatchObject({ kind: 'url', urls: [urlInPlan] });
    expect(planOf(over(transport), { targets: [url] }).target).toMatchObject({ kind: 'url', urls: [urlInPlan] });
  });

  test.each([
    [
      'another scheme',
      over('websocket') + at('http://localhost/mcp'),
      'workload.low-load.transport: websocket needs a url of ws: or wss:, and the target is ' +
        'http://localhost/mcp\n    hint: name such a url, or choose: --set ' +
        'workload.low-load.transport=streamable-http',
    ],
    [
      'a url that no profile reaches',
      `${over('tcp')}target: { server: { url: ["tcp://localhost:1", "ws://localhost:2"] } }\n`,
      'no profile reaches ws://localhost:2/: their transports are tcp',
    ],
    [
      'tcp without a port',
      over('tcp') + at('tcp://localhost'),
      '`tcp://localhost` is not a host and a port\n    hint: such as tcp://localhost:5555',
    ],
    ['tcp with a path', over('tcp') + at('tcp://localhost:1/mcp'), 'is not a host and a port'],
    ['tcp with a password', over('tcp') + at('tcp://a:b@localhost:1'), 'is not a host and a port'],
    ['headers over tcp', over('tcp') + at('tcp://localhost:1', ', headers: { x: y }'), 'tcp cannot carry headers'],
    [
      'a foreign websocket',
      over('websocket') + at('ws://example.com/'),
      'example.com is neither this machine nor in a private network',
    ],
    ['a foreign host over tcp', over('tcp') + at('tcp://8.8.8.8:1'), '8.8.8.8 is neither'],
    ['a foreign host in disguise over tcp', over('tcp') + at('tcp://134744072:1'), '8.8.8.8 is neither'],
  ])('%s is refused', (_what, text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  test('a foreign host can be allowed', () => {
    expect(planOf(over('tcp') + at('tcp://8.8.8.8:1'), { allowTargets: ['8.8.8.8'] }).target).toMatchObject({
      urls: ['tcp://8.8.8.8:1'],
    });
  });

  test('profiles of several transports share a target that has a url for each', () => {
    const workload = '{ low-load: { transport: tcp }, normal: {}, flood: { transport: websocket } }';
    const text = `name: s\nworkload: ${workload}\nstages: [{ name: a, duration: 1s }]\n`;
    const target =
      'target: { server: { url: ["tcp://localhost:1", "http://localhost:2/mcp", "ws://localhost:3"] }, ' +
      'headers: { x: y } }\n';
    expect(problemsOf(text)).toBe('');
    expect(planOf(text + target).profiles.map(({ transport }) => transport)).toEqual([
      'tcp',
      'streamable-http',
      'websocket',
    ]);
  });
});

describe('misbehaviour over a transport', () => {
  const badly = (transport: string, misbehave: string): string => over(transport, `, misbehave: { ${misbehave} }`);
  const planned = (transport: string, misbehave: string) => planOf(badly(transport, misbehave)).profiles[0]?.misbehave;

  test('is by default all that the transport has', () => {
    expect(planned('websocket', 'abort: 1%, malformed: 1%')).toMatchObject({
      abort: { kinds: ['mid-handshake', 'mid-request', 'after-request', 'mid-answer'], how: 'close' },
      malformed: {
        kinds: expect.arrayContaining(['broken-json', 'unmasked', 'reserved-bits', 'bad-opcode', 'huge-length']),
      },
    });
    for (const transport of ['tcp', 'sse', 'streamable-http'])
      expect(planned(transport, 'malformed: 1%')?.malformed?.kinds).toHaveLength(6);
  });

  test('can keep a session only where it outlives its connections', () => {
    expect(planned('tcp', 'reconnect: { every: 1s }')?.reconnect?.session).toBe('new');
    expect(planned('streamable-http', 'reconnect: { every: 1s }')?.reconnect?.session).toBe('keep');
    for (const transport of ['websocket', 'tcp', 'sse']) {
      expect(problemsOf(badly(transport, 'reconnect: { every: 1s, session: keep }'))).toContain(
        `over ${transport} a session ends with its connection, so it cannot be kept`,
      );
      expect(
        problemsOf(
          badly(
            transport,
            'readRate: 1 KiB/s, writeRate: 1 KiB/s, abort: 1%, malformed: 1%, reconnect: { every: 1s, session: new }',
          ),
        ),
      ).toBe('');
    }
  });

  test.each([
    [
      'frames where there are none',
      'tcp',
      'malformed: { share: 1%, kinds: [bad-opcode] }',
      'transport tcp has no bad-opcode\n    hint: it has: broken-json',
    ],
    [
      'a handshake where there is none',
      'tcp',
      'abort: { share: 1%, kinds: [mid-handshake] }',
      'transport tcp has no mid-handshake',
    ],
    [
      'losing a process',
      'stdio',
      'abort: 1%',
      '`misbehave.abort` does not go with transport stdio: its connection is a process that was started for it',
    ],
    [
      'losing all processes',
      'stdio',
      'reconnect: { every: 1s }',
      '`misbehave.reconnect` does not go with transport stdio',
    ],
  ])('%s is refused with the reason', (_what, transport, misbehave, problem) => {
    expect(problemsOf(badly(transport, misbehave))).toContain(problem);
  });

  test('over stdio is all that ends no process', () => {
    const target = 'target: { server: { command: [cat] } }\n';
    expect(problemsOf(badly('stdio', 'readRate: 1 KiB/s, writeRate: 1 KiB/s, malformed: 1%') + target)).toBe('');
  });
});
