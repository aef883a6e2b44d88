import { describe, expect, test } from '@jest/globals';
import { type ParseContext, parseOptions, UsageError } from './arguments.js';

const context: ParseContext = {
  token: undefined,
  cores: 4,
  log: () => undefined,
  readFile: (path) => {
    if (path === '/run/secrets/token') return 'from-file\n';
    throw new Error(`ENOENT: ${path}`);
  },
};

test('by default, all cores but one make load and no port is opened', () => {
  expect(parseOptions(['--controller', 'http://127.0.0.1:8888'], context)).toMatchObject({
    controllerUrl: 'http://127.0.0.1:8888',
    threads: 3,
  });
  expect(parseOptions(['--controller', 'http://127.0.0.1:8888'], { ...context, cores: 1 })).toMatchObject({
    threads: 1,
  });
});

test('every option takes effect', () => {
  const args = [
    ...['--controller', 'http://c:1', '--token-file', '/run/secrets/token', '--slot', '3', '--threads', '2'],
    ...['--max-clients', '10', '--max-rate', '20', '--metrics-port', '9464', '--metrics-host', '0.0.0.0'],
    ...['--lease', '/tmp/lease'],
  ];
  expect(parseOptions(args, context)).toMatchObject({
    token: 'from-file',
    slot: 3,
    threads: 2,
    maxClients: 10,
    maxRate: 20,
    metrics: { host: '0.0.0.0', port: 9464 },
    leaseFile: '/tmp/lease',
  });
  expect(parseOptions(['--controller', 'http://c:1'], { ...context, token: 'from-env' })).toMatchObject({
    token: 'from-env',
  });
  expect(parseOptions(['--help'], context)).toBe('help');
});

test('a worker that listens is open on this machine only, unless it has a token', () => {
  expect(parseOptions(['--listen', '8081'], context)).toMatchObject({ listen: { host: '127.0.0.1', port: 8081 } });
  expect(parseOptions(['--listen', '[::1]:0'], context)).toMatchObject({ listen: { host: '::1', port: 0 } });
  const args = ['--listen', '8081', '--token-file', '/run/secrets/token'];
  expect(parseOptions(args, context)).toMatchObject({ token: 'from-file', listen: { host: '::', port: 8081 } });
});

describe('the error names a wrong argument', () => {
  test.each([
    [[], '--controller needs'],
    [['--controller', 'here'], '--controller needs'],
    [['--listen', '0.0.0.0:8081'], 'Give it a token'],
    [['--listen', '10.0.0.5:8081'], 'Give it a token'],
    [['--listen', 'here'], '--listen: `here`'],
    [['--listen', '70000'], '--listen: `70000`'],
    [['--listen', '1', '--controller', 'http://c'], '--controller is for'],
    [['--listen', '1', '--tls-cert', '/run/secrets/token'], 'go together'],
    [['--controller', 'http://c', '--threads', '0'], '--threads: `0`'],
    [['--controller', 'http://c', '--slot', '1.5'], '--slot: `1.5`'],
    [['--controller', 'http://c', '--treads', '2'], "'--treads'"],
    [['--controller', 'http://c', '--token-file', '/nowhere'], '--token-file: ENOENT'],
  ])('%p', (args, message) => {
    expect(() => parseOptions(args, context)).toThrow(UsageError);
    expect(() => parseOptions(args, context)).toThrow(message);
  });
});
