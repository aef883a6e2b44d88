import { describe, expect, test } from '@jest/globals';
import { health } from '../../protocol/messages.js';
import { cpuGroup, type ReadText } from './cgroup.js';
import { localPorts, openFiles, openFilesLimit } from './connection-capacity.js';
import { judgeSaturation } from './saturation.js';
import { SelfHealth } from './self-health.js';

function files(content: Readonly<Record<string, string>>): ReadText {
  return (path) => content[path];
}

describe('the throttled time comes from', () => {
  test('cgroup v2, with the quota of our group', () => {
    const group = cpuGroup(
      files({
        '/proc/self/cgroup': '0::/docker/abc\n',
        '/sys/fs/cgroup/docker/abc/cpu.stat': 'usage_usec 5\nnr_throttled 2\nthrottled_usec 1500\n',
        '/sys/fs/cgroup/docker/abc/cpu.max': '150000 100000\n',
      }),
    );
    expect(group.quotaCores).toBe(1.5);
    expect(group.throttledMs()).toBe(1.5);
  });

  test('cgroup v2 seen from inside a container, without a quota', () => {
    const group = cpuGroup(
      files({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/cpu.stat': 'usage_usec 5\nthrottled_usec 0\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
      }),
    );
    expect(group.quotaCores).toBeUndefined();
    expect(group.throttledMs()).toBe(0);
  });

  test('cgroup v1', () => {
    const group = cpuGroup(
      files({
        '/proc/self/cgroup': '5:memory:/x\n4:cpu,cpuacct:/docker/abc\n',
        '/sys/fs/cgroup/cpu/docker/abc/cpu.stat': 'nr_throttled 1\nthrottled_time 2000000\n',
        '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000\n',
      }),
    );
    expect(group.quotaCores).toBe(0.5);
    expect(group.throttledMs()).toBe(2);
  });

  test('nothing, and is unknown, without a cgroup', () => {
    expect(cpuGroup(files({})).throttledMs()).toBeUndefined();
  });
});

test('limits of the process are read from /proc', () => {
  expect(
    openFilesLimit(
      files({
        '/proc/self/limits': 'Limit  Soft\nMax open files            1024                 20000                files\n',
      }),
    ),
  ).toBe(1_024);
  expect(openFilesLimit(files({}))).toBeGreaterThan(100_000);
  expect(
    localPorts(
      [],
      files({
        '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
        '/proc/net/sockstat': 'sockets: used 9\nTCP: inuse 5 orphan 0 tw 7 alloc 9 mem 3\n',
      }),
    ),
  ).toEqual({ used: 12, limit: 28_232 });
  expect(localPorts([], files({}))).toBeUndefined();
  expect(openFiles()).toBeGreaterThan(2);
});

describe('saturation', () => {
  const fit = {
    cpu: 0.5,
    memoryBytes: 1,
    eventLoopUtilization: 0.3,
    eventLoopDelayP99Ms: 0,
    lagP99Ms: 0,
    throttledRatio: 0,
    clients: 10,
    sessions: 10,
    connections: 10,
    inFlight: 0,
    queued: 0,
    openFiles: 20,
    openFilesLimit: 1_000,
  };
  const limits = { clients: 100, cores: 2 };

  test.each([
    [{ eventLoopUtilization: 0.96 }, 'an engine thread was busy 96 % of the time: add threads or workers'],
    [
      { eventLoopUtilization: 0.96, processorWait: 0.5 },
      'busy 96 % of the time, 50 % waiting for a processor: this machine has no processor left',
    ],
    [{ cpu: 1.9 }, '95 % of 2 core(s) in use: add workers'],
    [{ clients: 100 }, 'the worker has 100 clients, its maximum: add workers'],
    [{ openFiles: 950 }, '950 of 1000 open files: raise ulimit -n'],
  ])('%p is named with its remedy', (change, text) => {
    expect(judgeSaturation({ saturated: false }, { ...fit, ...change }, limits, false)).toEqual({
      saturated: true,
      reason: expect.stringContaining(text),
    });
  });

  test('a worker is saturated above 90 %, until it is below 80 %', () => {
    const at = (eventLoopUtilization: number, was: boolean): boolean =>
      judgeSaturation(
        was ? { saturated: true, reason: '' } : { saturated: false },
        { ...fit, eventLoopUtilization },
        limits,
        false,
      ).saturated;
    expect([at(0.85, false), at(0.91, false), at(0.85, true), at(0.79, true)]).toEqual([false, true, true, false]);
  });

  test('a thread that spins as configured is not saturated', () => {
    expect(
      judgeSaturation({ saturated: false }, { ...fit, eventLoopUtilization: 1, cpu: 2 }, limits, true).saturated,
    ).toBe(false);
  });
});

test('a sample of this process is a valid health message', () => {
  const sample = new SelfHealth(1_000).sample({ batch: undefined, threads: 1, spinning: false, urls: [], sources: 1 });
  expect(health.safeParse(sample).error).toBeUndefined();
  expect(sample.openFiles).toBeGreaterThan(2);
});
