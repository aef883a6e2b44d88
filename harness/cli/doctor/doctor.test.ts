import { describe, expect, test } from '@jest/globals';

import { type KernelFacts, untried } from '../../platform/swarm/kernel/kernel-facts.js';
import { renderFindings } from '../commands/doctor.js';
import { plain } from '../terminal/style.js';
import type { Facts } from './facts.js';
import { judge } from './judge.js';

const healthy: Facts = {
  nodeVersion: '22.1.0',
  cores: 8,
  loadAverage: 0.2,
  memoryBytes: 16 * 1024 ** 3,
  freeMemoryBytes: 12 * 1024 ** 3,
  openFiles: { soft: 65_536, hard: 65_536 },
  localPorts: 28_232,
  somaxconn: 4096,
  conntrackRoom: 200_000,
  conntrackMax: 262_144,
  cpuGovernor: 'performance',
  apiPortProblem: undefined,
  results: { folder: '/r', problem: undefined, freeBytes: 1e11 },
  kernel: {
    triedIn: 'container',
    vxlan: { kind: 'yes' },
    ipvs: { kind: 'yes' },
    netem: { kind: 'yes' },
    openFiles: { soft: 65_536, hard: 65_536 },
    conntrackMax: 262_144,
  },
  faults: [{ kinds: ['delay'], ability: { kind: 'yes' }, how: 'netem' }],
  programs: { chromium: '/usr/bin/chromium', wrk: '/usr/bin/wrk', docker: '28.0.0' },
};

function kernel(change: Partial<KernelFacts>): Partial<Facts> {
  return { kernel: healthy.kernel && { ...healthy.kernel, ...change } };
}

describe('the doctor', () => {
  test('finds a healthy machine healthy', () => {
    expect(judge(healthy).filter((finding) => finding.status !== 'ok')).toEqual([]);
  });

  const none = { chromium: undefined, wrk: undefined, docker: undefined };
  test.each<[string, Partial<Facts>, string, string, RegExp | undefined]>([
    ['an old Node', { nodeVersion: '20.18.3' }, 'Node.js', 'missing', /install/],
    ['one core', { cores: 1 }, 'cores', 'warn', /--target/],
    ['a busy machine', { loadAverage: 4 }, 'other load', 'warn', /top/],
    ['little memory', { freeMemoryBytes: 1e8 }, 'memory', 'warn', /top/],
    ['few open files', { openFiles: { soft: 1024, hard: 4096 } }, 'open files', 'warn', /ulimit -n 4096/],
    ['few local ports', { localPorts: 1000 }, 'local ports', 'warn', /sysctl -w net.ipv4.ip_local_port_range/],
    ['a short backlog', { somaxconn: 128 }, 'listen backlog', 'warn', /somaxconn/],
    ['a full conntrack table', { conntrackRoom: 100 }, 'connection tracking', 'warn', /nf_conntrack_max/],
    ['a kernel without conntrack', { conntrackRoom: undefined }, 'connection tracking', 'ok', undefined],
    ['a CPU in power-saving mode', { cpuGovernor: 'powersave' }, 'CPU governor', 'warn', /cpupower/],
    ['a taken API port', { apiPortProblem: 'in use' }, 'port 8888', 'note', /--port/],
    [
      'results that cannot be written',
      { results: { folder: '/r', problem: 'EACCES', freeBytes: undefined } },
      'results folder',
      'missing',
      /--out/,
    ],
    [
      'a full disk',
      { results: { folder: '/r', problem: undefined, freeBytes: 1e6 } },
      'results folder',
      'warn',
      /du -sh/,
    ],
    ['no Docker', { programs: none }, 'Docker engine', 'note', /docker/],
    [
      'a kernel without vxlan',
      kernel({ vxlan: { kind: 'no', reason: 'Unknown device type' } }),
      'overlay networks',
      'warn',
      /modprobe vxlan/,
    ],
    [
      'a kernel without IPVS',
      kernel({ ipvs: { kind: 'no', reason: 'no module' } }),
      'virtual addresses',
      'note',
      /modprobe ip_vs.*dnsrr/,
    ],
    [
      'a kernel without netem',
      kernel({ netem: { kind: 'no', reason: 'Specified qdisc kind is unknown' } }),
      'packet delay',
      'note',
      /modprobe sch_netem/,
    ],
    [
      'a kernel that could not be tested',
      { kernel: untried('may not') },
      'overlay networks',
      'note',
      /sudo swarmbench doctor/,
    ],
    [
      'few open files in containers',
      kernel({ openFiles: { soft: 1024, hard: 4096 } }),
      'open files of containers',
      'warn',
      /default-ulimit/,
    ],
    [
      'containers that were not tested',
      kernel({ openFiles: undefined, triedIn: 'namespace' }),
      'open files of containers',
      'note',
      /NETTOOLS_IMAGE=IMAGE swarmbench doctor/,
    ],
    [
      'a kernel that cannot limit what is sent',
      { faults: [{ kinds: ['rate'], ability: { kind: 'no', reason: 'no tbf' }, how: '' }] },
      'faults rate',
      'note',
      /NETTOOLS_IMAGE=/,
    ],
    ['no wrk', { programs: none }, 'wrk', 'note', /apt-get install wrk/],
    ['no Chromium', { programs: none }, 'Chromium', 'note', /apt-get install chromium/],
  ])('%s', (_name, change, name, status, fix) => {
    const finding = judge({ ...healthy, ...change }).find((candidate) => candidate.name === name);
    expect(finding).toMatchObject({ status });
    if (fix === undefined) expect(finding?.fix).toBeUndefined();
    else expect(finding?.fix).toMatch(fix);
  });

  test('leaves out what a system does not have (macOS)', () => {
    const names = judge({
      ...healthy,
      localPorts: undefined,
      somaxconn: undefined,
      conntrackRoom: undefined,
      cpuGovernor: undefined,
    }).map(({ name }) => name);
    expect(names).not.toContain('local ports');
    expect(names).not.toContain('CPU governor');
  });

  test('shows the command that fixes a problem below its line', () => {
    const text = renderFindings(judge({ ...healthy, cores: 1 }), plain);
    expect(text).toMatch(/^warn +cores +one, .*\n +fix: put the target/m);
  });
});
