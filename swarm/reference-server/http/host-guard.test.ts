import { describe, expect, test } from '@jest/globals';
import { HostGuard } from './host-guard.js';

describe.each(['127.0.0.1', 'localhost', '::1', '127.0.0.2'])('listening on %s', (address) => {
  const guard = new HostGuard(address, []);

  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:1'])(
    '%s is accepted every time',
    (host) => {
      for (let time = 0; time < 3; time++) expect(guard.refusal({ host })).toBeUndefined();
      expect(guard.refusal({ host, origin: 'http://localhost:8080' })).toBeUndefined();
    },
  );

  test.each([
    'evil.example.com',
    'evil.example.com:3000',
    'localhost.evil.example.com',
    '127.0.0.1.evil.example.com',
    'mcp-server',
    '',
    undefined,
    'a b',
  ])('%s is refused', (host) => {
    expect(guard.refusal(host === undefined ? {} : { host })).toContain('--allowed-host');
  });

  test.each(['http://evil.example.com', 'null', 'http://localhost.evil.example.com'])(
    'a page of %s is refused',
    (origin) => {
      expect(guard.refusal({ host: 'localhost:3000', origin })).toContain('--allowed-host');
    },
  );
});

test('a server on loopback accepts the address it listens on', () => {
  expect(new HostGuard('127.0.0.2', []).refusal({ host: '127.0.0.2:80' })).toBeUndefined();
});

test('on other addresses any name is accepted, unless some are named', () => {
  expect(
    new HostGuard('0.0.0.0', []).refusal({ host: 'tasks.mcp-server:3000', origin: 'http://anything' }),
  ).toBeUndefined();
  const named = new HostGuard('0.0.0.0', ['mcp-server', 'Tasks.mcp-server']);
  expect(['mcp-server:3000', 'tasks.mcp-server', 'localhost'].map((host) => named.refusal({ host }))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(named.refusal({ host: 'other' })).toContain('mcp-server');
});

test('more names can be allowed on loopback, and * allows any', () => {
  expect(new HostGuard('127.0.0.1', ['bench.test']).refusal({ host: 'bench.test:80' })).toBeUndefined();
  expect(new HostGuard('127.0.0.1', ['*']).refusal({ host: 'evil.example.com' })).toBeUndefined();
});

test('only so many names are remembered, and the others are checked each time', () => {
  const guard = new HostGuard('127.0.0.1', []);
  for (let port = 1; port < 1_000; port++) expect(guard.refusal({ host: `localhost:${port}` })).toBeUndefined();
  expect(guard.refusal({ host: 'evil.example.com:1' })).toBeDefined();
});
