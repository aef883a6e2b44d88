import { describe, expect, test } from '@jest/globals';

import type { Plan, ProfilePlan, TargetPlan } from '../../../scenarios/schema/plan.js';
import { type ConnectionLimits, readConnectionLimits } from './connection-limits.js';
import { countWorkers } from './worker-count.js';

function profile(over: Partial<ProfilePlan>): ProfilePlan {
  return {
    clients: 100,
    connections: 1,
    transport: 'streamable-http',
    session: { mode: 'reuse' },
    ...over,
  } as unknown as ProfilePlan;
}
function plan(target: Partial<TargetPlan>, ...profiles: Partial<ProfilePlan>[]): Plan {
  return { target: { kind: 'sink', replicas: 7, ...target }, profiles: profiles.map(profile) } as unknown as Plan;
}
const room: ConnectionLimits = {
  perProcess: { connections: 16_000, limitedBy: '20000 open files' },
  perAddress: { connections: 28_232, limitedBy: '28232 local ports' },
  total: [
    { connections: 500_000, limitedBy: 'free memory' },
    { connections: 200_000, limitedBy: 'tracked connections' },
  ],
};

describe('workers of a plan', () => {
  test.each<[string, Plan, number, string | undefined]>([
    ['a few connections', plan({}, { clients: 500 }), 1, undefined],
    ['as many as one worker has room for', plan({}, { clients: 16_000 }), 1, undefined],
    [
      'one more',
      plan({}, { clients: 16_001 }),
      2,
      '16,001 connections, and a worker has room for 16,000, limited by 20000 open files',
    ],
    [
      '100,000',
      plan({}, { clients: 100_000 }),
      7,
      '100,000 connections, and a worker has room for 16,000, limited by 20000 open files',
    ],
    [
      'several a client',
      plan({}, { clients: 10_000, connections: 3 }),
      2,
      '30,000 connections, and a worker has room for 16,000, limited by 20000 open files',
    ],
    [
      'a stream beside each',
      plan({}, { clients: 10_000, stream: { away: [], resume: false } }),
      2,
      '20,000 connections, and a worker has room for 16,000, limited by 20000 open files',
    ],
    [
      'profiles together',
      plan({}, { clients: 15_000 }, { clients: 5_000 }),
      2,
      '20,000 connections, and a worker has room for 16,000, limited by 20000 open files',
    ],
  ])('%s', (_name, of, workers, why) => {
    expect(countWorkers(of, undefined, room)).toEqual({ kind: 'fits', workers, why });
  });

  test('are as many as the user wants, where that is enough', () => {
    expect(countWorkers(plan({}, { clients: 100_000 }), 9, room)).toEqual({ kind: 'fits', workers: 9, why: undefined });
    expect(countWorkers(plan({}, { clients: 100_000 }), 6, room)).toEqual({
      kind: 'refused',
      problem:
        'each of 6 workers would have 16,667 of 100,000 connections, and has room for 16,000, ' +
        'limited by 20000 open files',
      hint: 'use --workers 7, leave --workers out, or raise that limit',
    });
  });
});

describe('a plan is refused, with the limit that bounds it,', () => {
  test.each<[string, Plan, string, string]>([
    [
      'for too few replicas',
      plan({ replicas: 2 }, { clients: 100_000 }),
      'each of 2 replicas of the target would have 50,000 of 100,000 connections, and has room for 16,000, ' +
        'limited by 20000 open files',
      '--set target.replicas=7',
    ],
    [
      'for memory or tracking of the whole machine',
      plan({ replicas: 64 }, { clients: 300_000 }),
      '300,000 connections are more than this machine has room for: 200,000, limited by tracked connections',
      'use fewer clients',
    ],
    [
      'for local ports to one address',
      plan({ kind: 'url', urls: ['http://h:1/mcp', 'http://h:1/other'] } as Partial<TargetPlan>, { clients: 30_000 }),
      '30,000 connections to one address of the target: each needs a local port, and to one address there are ' +
        '28232 local ports',
      '2 addresses of the target',
    ],
  ])('%s', (_name, of, problem, hint) => {
    expect(countWorkers(of, undefined, room)).toEqual({
      kind: 'refused',
      problem,
      hint: expect.stringContaining(hint),
    });
  });

  test('but not for connections that clients share, that are never opened, or that go to loopback', () => {
    expect(
      countWorkers(
        plan({ kind: 'url', urls: ['http://127.0.0.1:1/mcp'] } as Partial<TargetPlan>, { clients: 30_000 }),
        undefined,
        room,
      ).kind,
    ).toBe('fits');
    expect(
      countWorkers(plan({ replicas: 1 }, { clients: 20_000, session: { mode: 'pool', size: 10 } }), undefined, room)
        .kind,
    ).toBe('fits');
    expect(
      countWorkers(
        plan({ kind: 'command' } as Partial<TargetPlan>, { clients: 100, transport: 'stdio' }),
        undefined,
        room,
      ),
    ).toEqual({ kind: 'fits', workers: 1, why: undefined });
  });
});

test('room is read from /proc; what is not there bounds nothing', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/self/limits': 'Limit  Soft\nMax open files            20000                20000                files\n',
    '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
    '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:     3072000 kB\n',
    '/proc/sys/net/netfilter/nf_conntrack_count': '12144\n',
    '/proc/sys/net/netfilter/nf_conntrack_max': '262144\n',
  };
  const found = readConnectionLimits(2, (path) => files[path]);
  expect(found.perProcess.connections).toBe(16_000);
  expect(found.perAddress?.connections).toBe(28_232);
  expect(found.total.map(({ connections }) => connections)).toEqual([102_400, 200_000]);
  expect(readConnectionLimits(1, (path) => files[path]).total[0]?.connections).toBe(204_800);
  expect(readConnectionLimits(1, () => undefined)).toEqual({
    perProcess: { connections: Infinity, limitedBy: 'no known limit' },
    perAddress: undefined,
    total: [],
  });
});
