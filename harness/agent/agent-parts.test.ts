import { describe, expect, test } from '@jest/globals';
import { agentMetrics } from './agent-metrics.js';
import { eventOf } from './container-events.js';
import { taskLabels } from './container-labels.js';
import { usageOf } from './container-watch.js';
import { capabilitiesOf, countsOf, matchOfName } from './node-faults.js';

/** As engines 20.10 (cgroup v1) and 26.1 (cgroup v2) answer, shortened. */
const version1 = {
  cpu_stats: { cpu_usage: { total_usage: 2_500_000_000 }, throttling_data: { throttled_time: 500_000_000 } },
  memory_stats: { usage: 100, limit: 1000, stats: { total_inactive_file: 30, inactive_file: 5 } },
  pids_stats: { current: 7 },
  networks: { eth0: { rx_bytes: 11, tx_bytes: 12, rx_errors: 0 } },
};
const version2 = { ...version1, memory_stats: { ...version1.memory_stats, stats: { inactive_file: 40 } } };

describe('usageOf', () => {
  test('returns seconds and bytes', () => {
    expect(usageOf(version1)).toEqual({
      cpuSeconds: 2.5,
      throttledSeconds: 0.5,
      memoryBytes: 70,
      memoryLimitBytes: 1000,
      processes: 7,
      networks: { eth0: { receivedBytes: 11, sentBytes: 12 } },
    });
  });

  test('does not count droppable file cache as memory, with cgroups of version 2 either', () => {
    expect(usageOf(version2)?.memoryBytes).toBe(60);
  });

  test.each([
    ['a container that has ended', { cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} }],
    ['half an answer', undefined],
  ])('returns undefined for %s', (_, raw) => {
    expect(usageOf(raw)).toBeUndefined();
  });

  test('accepts a container without networks', () => {
    const { networks, ...alone } = version1;
    expect(networks).toBeDefined();
    expect(usageOf(alone)?.networks).toEqual({});
  });
});

describe('taskLabels', () => {
  const task = {
    'com.docker.stack.namespace': 'bench',
    'com.docker.swarm.service.name': 'bench_mcp-server',
    'com.docker.swarm.task.id': 'abc',
    'com.docker.swarm.task.name': 'bench_mcp-server.3.abc',
  };

  test('reads stack, service, slot and task from the labels of Swarm', () => {
    expect(taskLabels(task, 'n1')).toEqual({
      stack: 'bench',
      service: 'mcp-server',
      slot: '3',
      node: 'n1',
      task: 'abc',
    });
  });

  test('has no slot for a service that runs once on every node', () => {
    expect(taskLabels({ ...task, 'com.docker.swarm.task.name': 'bench_mcp-server.nodeid1x.abc' }, 'n1')?.slot).toBe('');
  });

  test('keeps the whole name of a service without a stack', () => {
    const alone = {
      'com.docker.swarm.service.name': 'web',
      'com.docker.swarm.task.id': 'abc',
      'com.docker.swarm.task.name': 'web.1.abc',
    };
    expect(taskLabels(alone, 'n1')).toMatchObject({ stack: '', service: 'web', slot: '1' });
  });

  test('returns undefined for a container without a task', () => {
    expect(taskLabels({}, 'n1')).toBeUndefined();
  });
});

test('counters are exported as read, not added up from scrape to scrape', async () => {
  const labels = { stack: 's', service: 'web', slot: '1', node: 'n', task: 't' };
  const usage = usageOf(version1);
  const metrics = agentMetrics(() => (usage === undefined ? [] : [{ id: 'c', labels, usage, at: 0 }]));
  await metrics.metrics();
  expect(await metrics.metrics()).toContain(
    'container_cpu_usage_seconds_total{stack="s",service="web",slot="1",node="n",task="t"} 2.5\n',
  );
});

describe('eventOf', () => {
  const attributes = {
    'com.docker.stack.namespace': 'bench',
    'com.docker.swarm.service.name': 'bench_mcp-server',
    'com.docker.swarm.task.id': 'abc',
    'com.docker.swarm.task.name': 'bench_mcp-server.3.abc',
  };
  /** As engines 20.10 and 26.1 write it, shortened. */
  function message(Action: string, more: Readonly<Record<string, string>> = {}): object {
    return {
      Type: 'container',
      Action,
      Actor: { ID: 'c'.repeat(64), Attributes: { ...attributes, ...more } },
      time: 1_700_000_000,
      timeNano: 1_700_000_000_123_456_800,
    };
  }

  test.each([
    ['die', { exitCode: '137' }, { action: 'die', exitCode: 137 }],
    ['kill', { signal: '9' }, { action: 'kill', signal: 9 }],
    ['oom', {}, { action: 'oom' }],
    ['pause', {}, { action: 'pause' }],
    ['health_status: unhealthy', {}, { action: 'unhealthy' }],
  ])('reads %s with the task it happened to', (action, more, expected) => {
    expect(eventOf(message(action, more), 'n1')).toEqual({
      id: expect.stringContaining(action),
      container: 'c'.repeat(64),
      at: 1_700_000_000_123,
      labels: { stack: 'bench', service: 'mcp-server', slot: '3', node: 'n1', task: 'abc' },
      ...expected,
    });
  });

  test.each([
    ['another action', message('exec_create: node')],
    ['a container without a task', { ...message('die'), Actor: { ID: 'c', Attributes: {} } }],
    ['half an answer', undefined],
  ])('returns undefined for %s', (_, raw) => {
    expect(eventOf(raw, 'n1')).toBeUndefined();
  });
});

describe('faults', () => {
  test('a name is matched as it stands in a message of DNS: labels with their lengths, and the end', () => {
    expect(matchOfName('Tasks.gateway')).toBe('@th,160,120 0x057461736b73076761746577617900');
    // nft compares 16 bytes at once.
    expect(matchOfName('a'.repeat(20))).toBe(`@th,160,128 0x14${'61'.repeat(15)} @th,288,48 0x${'61'.repeat(5)}00`);
  });

  test('capabilities are named by the bits of their mask', () => {
    expect(capabilitiesOf(0n)).toEqual([]);
    expect(capabilitiesOf(1n | (1n << 21n) | (1n << 40n))).toEqual(['CHOWN', 'SYS_ADMIN', 'CHECKPOINT_RESTORE']);
    expect(capabilitiesOf((1n << 41n) - 1n)).toHaveLength(41);
  });

  test.each([
    ['nft', 'counts table inet t counter hit packets 12 bytes 900', { hit: 12 }],
    [
      'tc',
      'counts qdisc tbf 5b5b: root Sent 2100 bytes 24 pkt (dropped 1, overlimits 7 requeues 0)',
      { seen: 24, dropped: 1, heldBack: 7 },
    ],
    ['a queue', 'counts queued packets 5', { seen: 5 }],
    ['a look-up', 'counts probe found 1 ms 1520 counter hit packets 4 bytes 9', { found: 1, probeMs: 1520, hit: 4 }],
  ])('what %s has counted is read', (_, line, counts) => {
    expect(countsOf(line)).toEqual(counts);
  });
});
