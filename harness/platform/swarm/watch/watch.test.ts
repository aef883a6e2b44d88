/** What two looks at a stack tell; the looks themselves are in tests/stacks/run.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { node, service, task } from '../engine/answers.js';
import { changesBetween, replicaCounts, type StackView } from './changes.js';
import { gatewayServers, serverChanges, serverStates } from './gateway-servers.js';
import { specChanges } from './spec-changes.js';

const START = Date.parse('2026-01-01T00:00:00Z');

function iso(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

function spec(more: object = {}, container: object = {}, template: object = {}) {
  return {
    Name: 'bench_mcp-server',
    Labels: {},
    Mode: { Replicated: { Replicas: 2 } },
    TaskTemplate: { ContainerSpec: { Image: 'a:1', Env: ['A=1', 'SECRET=x'], ...container }, ...template },
    ...more,
  };
}

function serviceOf(version: number, own = spec(), more: object = {}) {
  return service.parse({
    ID: 's',
    Version: { Index: version },
    CreatedAt: iso(0),
    UpdatedAt: iso(version),
    Spec: own,
    ...more,
  });
}

function taskOf(id: string, slot: number, state: string, seconds: number, more: object = {}) {
  return task.parse({
    ID: id,
    ServiceID: 's',
    Slot: slot,
    NodeID: 'n1',
    CreatedAt: iso(seconds),
    DesiredState: ['running'].includes(state) ? 'running' : 'shutdown',
    Status: { Timestamp: iso(seconds), State: state },
    Spec: {},
    ...more,
  });
}

function nodeOf(state: string, more: object = {}) {
  return node.parse({
    ID: 'n1',
    Version: { Index: 1 },
    Spec: { Role: 'manager', Availability: 'active', Labels: {} },
    Description: { Hostname: 'one' },
    Status: { State: state },
    ...more,
  });
}

function view(
  seconds: number,
  tasks: readonly ReturnType<typeof taskOf>[],
  own = serviceOf(1),
  nodeNow = nodeOf('ready'),
): StackView {
  return {
    atMs: START + seconds * 1000,
    services: new Map([['s', { name: 'mcp-server', service: own }]]),
    tasks: new Map(tasks.map((one) => [one.ID, one])),
    nodes: new Map([['n1', nodeNow]]),
  };
}

function texts(before: StackView, now: StackView): readonly string[] {
  return changesBetween(before, now).map(({ what, text }) => `${what}: ${text}`);
}

const [first, second] = [taskOf('a', 1, 'running', 0), taskOf('b', 2, 'running', 0)];

describe('tasks', () => {
  test('one that is killed died with its exit code, and the next in its slot replaces it', () => {
    const dead = taskOf('b', 2, 'failed', 10, {
      CreatedAt: iso(0),
      Status: {
        Timestamp: iso(10),
        State: 'failed',
        Err: 'task: non-zero exit (137)',
        ContainerStatus: { ContainerID: 'c', ExitCode: 137 },
      },
    });
    const died = changesBetween(view(9, [first, second]), view(11, [first, dead]));
    expect(died).toEqual([
      {
        what: 'task-died',
        subject: 'mcp-server.2',
        service: 'mcp-server',
        node: 'one',
        exitCode: 137,
        happenedAt: iso(10),
        text: 'mcp-server.2 died with exit code 137 (SIGKILL)',
      },
    ]);
    const next = taskOf('c', 2, 'running', 14);
    expect(texts(view(11, [first, dead]), view(15, [first, dead, next]))).toEqual([
      'task-started: mcp-server.2 was replaced: a new task runs on one',
    ]);
    // Both between two looks.
    expect(texts(view(9, [first, second]), view(15, [first, dead, next]))).toHaveLength(2);
    expect(replicaCounts(view(11, [first, dead]))).toEqual([{ service: 'mcp-server', wanted: 2, running: 1 }]);
  });

  test('several deaths in one slot between two looks are all told', () => {
    const dead = [3, 6, 9].map((at) =>
      taskOf(`d${at}`, 2, 'failed', at, {
        Status: { Timestamp: iso(at), State: 'failed', ContainerStatus: { ContainerID: 'c', ExitCode: 1 } },
      }),
    );
    const died = changesBetween(view(2, [first]), view(10, [first, ...dead]));
    expect(died.map(({ happenedAt }) => happenedAt)).toEqual([iso(3), iso(6), iso(9)]);
    // Those that were there before the first look are no news.
    expect(changesBetween(view(20, [first]), view(21, [first, ...dead]))).toEqual([]);
  });

  test('those that are stopped, scaled away or on a node that is down are told apart', () => {
    expect(texts(view(1, [second]), view(2, [taskOf('b', 2, 'shutdown', 2)]))).toEqual([
      'task-stopped: mcp-server.2 was stopped',
    ]);
    expect(texts(view(1, [first, second]), view(2, [first]))).toEqual(['task-stopped: mcp-server.2 was removed']);
    const lost = taskOf('b', 2, 'running', 0, { DesiredState: 'shutdown' });
    expect(texts(view(1, [second]), view(2, [lost], serviceOf(1), nodeOf('down')))).toEqual([
      'node-down: node one is down',
      'task-died: mcp-server.2 was given up with its node one, which is down',
    ]);
  });
});

describe('nodes', () => {
  test('that come back, are drained or lead are told', () => {
    const before = view(1, [], serviceOf(1), nodeOf('down'));
    const drained = { Spec: { Role: 'manager', Availability: 'drain', Labels: {} }, ManagerStatus: { Leader: true } };
    expect(texts(before, view(2, [], serviceOf(1), nodeOf('ready', drained)))).toEqual([
      'node-back: node one is ready again',
      'node-changed: node one was set to drain',
      'node-changed: node one leads the managers',
    ]);
  });
});

describe('services', () => {
  test.each([
    ['another number of replicas', spec({ Mode: { Replicated: { Replicas: 4 } } }), ['replicas 2 to 4']],
    [
      'a memory limit',
      spec({}, {}, { Resources: { Limits: { MemoryBytes: 256 * 2 ** 20 } } }),
      ['memory limit none to 256 MiB'],
    ],
    ['another image', spec({}, { Image: 'a:2' }), ['image a:1 to a:2']],
    ['a variable, whose value may be a secret', spec({}, { Env: ['A=1', 'SECRET=y'] }), ['environment SECRET']],
    ['a forced update', spec({}, {}, { ForceUpdate: 1 }), ['forced update']],
    ['what has no name', spec({}, { Args: ['--verbose'] }), ['TaskTemplate.ContainerSpec.Args.--verbose']],
    ['what a run writes for itself', spec({ Labels: { 'swarmbench.rest.replicas': '2' } }), []],
  ])('%s', (_, changed, expected) => {
    expect(specChanges(serviceOf(1).Spec, serviceOf(2, changed).Spec)).toEqual(expected);
  });

  test('an update is told when it begins and when it ends, and an old one is no news', () => {
    const status = (State: string) => ({ UpdateStatus: { State, StartedAt: iso(5), Message: '' } });
    const [idle, updating, done] = [
      serviceOf(1),
      serviceOf(2, spec({}, { Image: 'a:2' }), status('updating')),
      serviceOf(3, spec({}, { Image: 'a:2' }), status('rollback_completed')),
    ];
    expect(texts(view(4, [], idle), view(6, [], updating))).toEqual([
      'service-changed: mcp-server was changed: image a:1 to a:2',
      'update-started: an update of mcp-server began',
    ]);
    expect(texts(view(6, [], updating), view(8, [], done))).toEqual([
      'update-ended: the update of mcp-server was rolled back',
    ]);
    expect(
      texts(view(8, [], done), view(9, [], serviceOf(4, spec({}, { Image: 'a:2' }), status('rollback_completed')))),
    ).toEqual([]);
  });
});

describe('the servers of the gateway', () => {
  const csv = (...rows: readonly string[]): string =>
    ['# pxname,svname,status,check_status,last_chk,addr', ...rows, ''].join('\n');
  const states = (text: string) => serverStates(gatewayServers(text));
  const up = csv(
    'servers,mcp1,UP,L7OK,"200, fine",10.0.0.1:3000',
    'servers,mcp2,UP,L7OK,,10.0.0.2:3000',
    'servers_cookie,mcp1,UP,L7OK,,10.0.0.1:3000',
    'servers_cookie,mcp2,UP,L7OK,,10.0.0.2:3000',
    'servers,mcp3,MAINT (resolution),,,',
    'servers,BACKEND,UP,,,',
    'stream_servers,stream1,DOWN,L4CON,,10.0.0.1:5555',
  );

  test('one that a single backend takes out is out, with the reason', () => {
    const down = up.replace('servers_cookie,mcp2,UP,L7OK', 'servers_cookie,mcp2,DOWN,L7TOUT');
    expect(serverChanges(states(up), states(down))).toEqual([
      {
        address: '10.0.0.2:3000',
        isUp: false,
        why: 'its health check got no answer in time (L7TOUT)',
        secondsAgo: 0,
      },
    ]);
    expect(serverChanges(states(down), states(up))).toEqual([
      { address: '10.0.0.2:3000', isUp: true, why: '', secondsAgo: 0 },
    ]);
  });

  test('one that leaves DNS keeps its address, which another place may take over', () => {
    const left = up.replaceAll('mcp2,UP,', 'mcp2,MAINT (resolution),');
    expect(serverChanges(states(up), states(left))).toEqual([
      { address: '10.0.0.2:3000', isUp: false, why: 'it left DNS', secondsAgo: 0 },
    ]);
    const again = left
      .replace('servers,mcp3,MAINT (resolution),,,', 'servers,mcp3,UP,L7OK,,10.0.0.2:3000')
      .replace('servers_cookie,mcp2,MAINT (resolution),', 'servers_cookie,mcp2,UP,');
    expect(serverChanges(states(left), states(again))).toEqual([
      { address: '10.0.0.2:3000', isUp: true, why: '', secondsAgo: 0 },
    ]);
  });

  test('one that was out and is back between two looks is told from the counts of the gateway', () => {
    const counted = (chkdown: number, downtime: number, lastchg: number): string =>
      [
        '# pxname,svname,status,check_status,chkdown,downtime,lastchg,addr',
        'servers,mcp1,UP,L7OK,0,0,100,10.0.0.1:3000',
        `servers,mcp2,UP,L7OK,${chkdown},${downtime},${lastchg},10.0.0.2:3000`,
        'servers_cookie,mcp2,UP,L7OK,3,9,50,10.0.0.2:3000',
      ].join('\n');
    expect(serverChanges(states(counted(2, 30, 70)), states(counted(3, 36, 1)))).toEqual([
      { address: '10.0.0.2:3000', isUp: false, why: expect.stringContaining('failed'), secondsAgo: 7 },
      { address: '10.0.0.2:3000', isUp: true, why: '', secondsAgo: 1 },
    ]);
    expect(serverChanges(states(counted(2, 30, 70)), states(counted(2, 30, 73)))).toEqual([]);
    // The gateway was started anew, or another replica has the place.
    expect(serverChanges(states(counted(2, 30, 70)), states(counted(0, 0, 2)))).toEqual([]);
  });
});
