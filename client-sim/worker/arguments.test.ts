import { describe, expect, test } from '@jest/globals';
import { parseOptions, type Surroundings, UsageError } from './arguments.js';

const surroundings: Surroundings = {
  token: undefined,
  cores: 4,
  log: () => undefined,
  readFile: (path) => {
    if (path === '/run/secrets/token') return 'from-file\n';
    throw new Error(`ENOENT: ${path}`);
  },
};

test('all cores but one make load, and nothing listens, unless told', () => {
  expect(parseOptions(['--controller', 'http://127.0.0.1:8888'], surroundings)).toMatchObject({
    controllerUrl: 'http://127.0.0.1:8888',
    threads: 3,
  });
  expect(parseOptions(['--controller', 'http://127.0.0.1:8888'], { ...surroundings, cores: 1 })).toMatchObject({
    threads: 1,
  });
});

test('every option takes effect', () => {
  const args =
    '--controller http://c:1 --token-file /run/secrets/token --slot 3 --threads 2 --max-clients 10 --max-rate 20 --metrics-port 9464 --metrics-host 0.0.0.0 --lease /tmp/lease'.split(
      ' ',
    );
  expect(parseOptions(args, surroundings)).toMatchObject({
    token: 'from-file',
    slot: 3,
    threads: 2,
    maxClients: 10,
    maxRate: 20,
    metrics: { host: '0.0.0.0', port: 9464 },
    leaseFile: '/tmp/lease',
  });
  expect(parseOptions(['--controller', 'http://c:1'], { ...surroundings, token: 'from-env' })).toMatchObject({
    token: 'from-env',
  });
  expect(parseOptions(['--help'], surroundings)).toBe('help');
});

describe('wrong arguments are named', () => {
  test.each([
    [[], '--controller needs'],
    [['--controller', 'here'], '--controller needs'],
    [['--controller', 'http://c', '--threads', '0'], '--threads: `0`'],
    [['--controller', 'http://c', '--slot', '1.5'], '--slot: `1.5`'],
    [['--controller', 'http://c', '--treads', '2'], "'--treads'"],
    [['--controller', 'http://c', '--token-file', '/nowhere'], '--token-file: ENOENT'],
  ])('%p', (args, words) => {
    expect(() => parseOptions(args, surroundings)).toThrow(UsageError);
    expect(() => parseOptions(args, surroundings)).toThrow(words);
  });
});
