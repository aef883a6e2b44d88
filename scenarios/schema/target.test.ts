import { describe, expect, test } from '@jest/globals';
import { load, minimal, planOf, problemsOf } from '../../tests/support/scenarios/files.js';
import type { Plan } from './plan.js';
import { redactPlan } from './redact.js';
import { isAllowedHost } from './resolve/target-url.js';

describe('load may be sent without --allow-target to', () => {
  test.each([
    'localhost',
    'api.localhost',
    'nas.local',
    'host.docker.internal',
    '127.0.0.1',
    '127.9.9.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '[::1]',
    '[fc00::1]',
    '[fd12::9]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
    'LOCALHOST',
    'localhost.',
  ])('%s', (host) => {
    expect(isAllowedHost(host, [])).toBe(true);
  });

  test.each([
    'example.com',
    '8.8.8.8',
    '172.32.0.1',
    '172.15.0.1',
    '192.169.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '[2001:db8::1]',
    '[::ffff:8.8.8.8]',
    '[::ffff:808:808]',
    'localhost.example.com',
    'notlocalhost',
    'mylocal',
    'server',
    'local.com',
    '10.0.0.1.example.com',
    '127.0.0.1.nip.io',
  ])('not %s', (host) => {
    expect(isAllowedHost(host, [])).toBe(false);
  });

  test('a host that is allowed by name, and to no other', () => {
    expect(isAllowedHost('example.com', ['Example.com'])).toBe(true);
    expect(isAllowedHost('api.example.com', ['example.com'])).toBe(false);
    expect(isAllowedHost('[2001:db8::1]', ['2001:db8::1'])).toBe(true);
  });

  test('addresses in other notations are recognised', () => {
    expect(problemsOf(minimal, { targets: ['http://0x7f.1/mcp'] })).toBe('');
    expect(problemsOf(minimal, { targets: ['http://134744072/mcp'] })).toContain('8.8.8.8 is neither');
  });

  test('a refusal names the option that allows it, with a stable code', () => {
    const result = load(minimal, { targets: ['https://example.com/mcp'] });
    expect(result).toMatchObject({
      ok: false,
      problems: [{ code: 'TARGET_NOT_ALLOWED', hint: 'if you may put load on it: --allow-target example.com' }],
    });
    expect(
      planOf(minimal, { targets: ['https://example.com/mcp'], allowTargets: ['example.com'] }).target,
    ).toMatchObject({ kind: 'url' });
  });
});

describe('the target', () => {
  test('is the reference server by default', () => {
    expect(planOf(minimal).target).toEqual({ kind: 'reference', replicas: 1, sticky: 'session', era: 'auto' });
  });

  test('is what the scenario says', () => {
    const target = 'target: { server: sink, replicas: 3, gateway: { sticky: source }, era: legacy }\n';
    expect(planOf(minimal + target).target).toEqual({ kind: 'sink', replicas: 3, sticky: 'source', era: 'legacy' });
  });

  test.each([
    [100, 1],
    [14_000, 1],
    [14_001, 2],
    [100_000, 8],
  ])('replicas: auto, for %i connections: %i', (clients, replicas) => {
    const text = minimal.replace(
      'low-load: {}',
      `low-load: { clients: ${clients}, arrivals: { rate: 1/min }, connections: 1, maxInFlight: 1 }`,
    );
    expect(
      planOf(`${text}limits: { clients: 100000 }\ntarget: { server: sink, replicas: auto }\n`).target,
    ).toMatchObject({ kind: 'sink', replicas });
  });

  test('can be several urls, with headers from the environment', () => {
    const target =
      'target: { server: { url: ["http://localhost:1/mcp#x", "http://localhost:2/mcp"] }, headers: { ' +
      'authorization: "Bearer ${TOKEN}", x: "${NO:-y}" } }\n';
    expect(planOf(minimal + target, { env: { TOKEN: 'abc' } }).target).toEqual({
      kind: 'url',
      urls: ['http://localhost:1/mcp', 'http://localhost:2/mcp'],
      headers: { authorization: 'Bearer abc', x: 'y' },
      era: 'auto',
    });
  });

  test('--target, --header and --era replace what the scenario says, with a warning', () => {
    const plan = planOf(`${minimal}target: { replicas: 2, era: modern }\n`, {
      targets: ['http://localhost:9/mcp'],
      headers: ['X-Key: a: ${V}'],
      era: 'legacy',
      env: { V: 'b' },
    });
    expect(plan.target).toEqual({
      kind: 'url',
      urls: ['http://localhost:9/mcp'],
      headers: { 'X-Key': 'a: b' },
      era: 'legacy',
    });
    expect(plan.warnings).toEqual([
      'target.replicas of the scenario is not used, because the command line names the server',
    ]);
  });

  test.each([
    ['no colon', '--header:1:1: a header is written as "Name: value"'],
    ['a b: c', '--header:1:1: `a b` is not a header name'],
    ['content-length: 3', '--header:1:1: the client itself sets the header `content-length`\n    hint: remove it'],
    ['x: a\r\ny: b', '--header:1:1: the value of the header `x` has characters that a header cannot hold'],
    ['x: ${GONE}', '--header:1:1: the environment variable GONE is not set\n    hint: export GONE=...'],
  ])('--header %j', (header, expected) => {
    expect(problemsOf(minimal, { targets: ['http://localhost/'], headers: [header] })).toBe(expected);
  });

  test('no headers can stand beside any server', () => {
    expect(planOf(`${minimal}target: { server: sink, headers: {} }\n`).target).toMatchObject({ kind: 'sink' });
  });

  test('--header without a url is a problem of the headers', () => {
    const result = load(minimal, { headers: ['x: y'] });
    expect(result).toMatchObject({ problems: [{ code: 'CONFLICT', path: 'target.headers' }] });
  });

  test('the redacted plan has no secrets', () => {
    const plan = planOf(minimal, {
      targets: ['http://localhost/mcp?key=s3cret&v'],
      headers: ['authorization: s3cret'],
    });
    expect(JSON.stringify(plan)).toContain('s3cret');
    expect(JSON.stringify(redactPlan(plan))).not.toContain('s3cret');
    expect(redactPlan(plan).target).toMatchObject({
      urls: ['http://localhost/mcp?key=***&v'],
      headers: { authorization: '***' },
    });
  });
});

describe('the transport of profiles that name none', () => {
  test.each([
    ['http://localhost:1/mcp', 'streamable-http'],
    ['http://localhost:1/sse', 'sse'],
    ['https://localhost:1/app/sse/', 'sse'],
    ['http://localhost:1/sse/messages', 'streamable-http'],
    ['ws://localhost:1/mcp', 'websocket'],
    ['tcp://localhost:1', 'tcp'],
  ])('%s chooses %s, from the command line and in the scenario', (url, transport) => {
    const transports = (plan: Plan): readonly string[] => plan.profiles.map((profile) => profile.transport);
    expect(transports(planOf(minimal, { targets: [url] }))).toEqual([transport]);
    expect(transports(planOf(`${minimal}target: { server: { url: "${url}" } }\n`))).toEqual([transport]);
  });

  test('is that of --transport, whatever the profile says', () => {
    const text = minimal.replace('{}', '{ transport: streamable-http }');
    const plan = planOf(text, { targets: ['http://localhost:1/mcp'], transport: 'sse' });
    expect(plan.profiles.map((profile) => profile.transport)).toEqual(['sse']);
  });
});

describe('a command', () => {
  const command = (more: string) => `${minimal}target: { server: { command: [a, b]${more} }\n`;

  test.each([
    [', url: "http://localhost/" }', 'the server has a url and a command'],
    [' }, replicas: 2', '`replicas` is for servers that swarmbench starts, not for a command'],
    [' }, headers: { x: y }', '`headers` is for a url, not for a command'],
    [' }, auth: { tokenEnv: T }', '`auth` is for a url, not for a command'],
    [', env: { A: "${GONE}" } }', 'the environment variable GONE is not set'],
    [', port: 80 }', '`port` is for a server in a container, not for a command'],
  ])('%s', (more, problem) => {
    expect(problemsOf(command(more))).toContain(problem);
  });

  test('is refused in a request to a controller', () => {
    expect(problemsOf(command(' }'), { sentSecrets: {} })).toContain('a controller starts no commands');
  });

  test('warns that its variables are not used when the command line names the server', () => {
    const { target, warnings } = planOf(command(', env: { A: b } }'), { targets: ['http://localhost/'] });
    expect(target.kind).toBe('url');
    expect(warnings).toEqual([
      'target.server.env of the scenario is not used, because the command line names the server',
    ]);
  });

  test('env is refused without it', () => {
    expect(problemsOf(`${minimal}target: { server: { url: "http://localhost/", env: { A: b } } }\n`)).toContain(
      '`env` is for a command, not for a url',
    );
  });
});
