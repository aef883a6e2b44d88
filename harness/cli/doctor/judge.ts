/** From facts to findings: each says how it stands, and if badly, the command that mends it. */
import { type Ability, FIXES, WANTED_CONNTRACK, WANTED_FILES } from '../../platform/swarm/kernel/kernel-facts.js';
import { DEFAULT_PORT } from '../defaults.js';
import { bytes, count } from '../terminal/quantity.js';
import type { Facts } from './facts.js';

export interface Finding {
  readonly name: string;
  /** `missing` stops runs; `warn` limits what can be measured; `note` is about something optional. */
  readonly status: 'ok' | 'warn' | 'missing' | 'note';
  readonly detail: string;
  readonly fix?: string;
}

const GIB = 1024 ** 3;
const WANTED_PORTS = 20_000;
const WANTED_BACKLOG = 1_024;

export function judge(facts: Facts): readonly Finding[] {
  return [
    node(facts),
    cores(facts),
    load(facts),
    memory(facts),
    openFiles(facts),
    localPorts(facts),
    backlog(facts),
    conntrack(facts),
    governor(facts),
    apiPort(facts),
    results(facts),
    ...programs(facts),
    ...kernel(facts),
  ].filter((finding) => finding !== undefined);
}

function node({ nodeVersion }: Facts): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return fits
    ? { name: 'Node.js', status: 'ok', detail: nodeVersion }
    : {
        name: 'Node.js',
        status: 'missing',
        detail: `${nodeVersion}; 20.19 or newer is needed`,
        fix: 'install a newer Node.js',
      };
}

function cores({ cores }: Facts): Finding {
  return cores >= 2
    ? { name: 'cores', status: 'ok', detail: `${cores}` }
    : {
        name: 'cores',
        status: 'warn',
        detail: 'one: load and target take it from each other',
        fix: 'put the target on another machine: swarmbench run --target URL',
      };
}

function load({ loadAverage, cores }: Facts): Finding {
  const detail = `${loadAverage.toFixed(2)} over the last minute`;
  return loadAverage < 0.5 * cores
    ? { name: 'other load', status: 'ok', detail }
    : {
        name: 'other load',
        status: 'warn',
        detail: `${detail}: something else is working, so figures will be noisy`,
        fix: 'top',
      };
}

function memory({ memoryBytes, freeMemoryBytes }: Facts): Finding {
  const detail = `${bytes(freeMemoryBytes)} free of ${bytes(memoryBytes)}`;
  return freeMemoryBytes >= GIB
    ? { name: 'memory', status: 'ok', detail }
    : { name: 'memory', status: 'warn', detail: `${detail}; 1 GiB is wanted`, fix: 'top -o %MEM' };
}

function openFiles({ openFiles }: Facts): Finding | undefined {
  if (openFiles === undefined) return undefined;
  const detail = `${count(openFiles.soft)} (hard limit ${openFiles.hard === Number.MAX_SAFE_INTEGER ? 'none' : count(openFiles.hard)})`;
  if (openFiles.soft >= WANTED_FILES) return { name: 'open files', status: 'ok', detail };
  return {
    name: 'open files',
    status: 'warn',
    detail: `${detail}; thousands of connections need more`,
    fix: `ulimit -n ${Math.min(openFiles.hard, 65_536)}`,
  };
}

function localPorts({ localPorts }: Facts): Finding | undefined {
  if (localPorts === undefined) return undefined;
  if (localPorts >= WANTED_PORTS) return { name: 'local ports', status: 'ok', detail: count(localPorts) };
  return {
    name: 'local ports',
    status: 'warn',
    detail: `${count(localPorts)}; churning clients use one a connection`,
    fix: 'sudo sysctl -w net.ipv4.ip_local_port_range="10240 65535"',
  };
}

function backlog({ somaxconn }: Facts): Finding | undefined {
  if (somaxconn === undefined) return undefined;
  if (somaxconn >= WANTED_BACKLOG) return { name: 'listen backlog', status: 'ok', detail: count(somaxconn) };
  return {
    name: 'listen backlog',
    status: 'warn',
    detail: `${count(somaxconn)}; a burst of connections overflows it`,
    fix: 'sudo sysctl -w net.core.somaxconn=4096',
  };
}

function conntrack({ conntrackRoom, conntrackMax }: Facts): Finding {
  const name = 'connection tracking';
  if (conntrackRoom === undefined) return { name, status: 'ok', detail: 'none' };
  const room = `room for ${count(conntrackRoom)}${conntrackMax === undefined ? '' : ` of ${count(conntrackMax)}`}`;
  if (conntrackRoom >= WANTED_CONNTRACK) return { name, status: 'ok', detail: room };
  return { name, status: 'warn', detail: `${room}; past it the kernel drops packets`, fix: FIXES.conntrack };
}

function governor({ cpuGovernor }: Facts): Finding | undefined {
  if (cpuGovernor === undefined) return undefined;
  if (cpuGovernor !== 'powersave') return { name: 'CPU governor', status: 'ok', detail: cpuGovernor };
  return {
    name: 'CPU governor',
    status: 'warn',
    detail: 'powersave: latencies will be longer and vary',
    fix: 'sudo cpupower frequency-set -g performance',
  };
}

function apiPort({ apiPortProblem }: Facts): Finding {
  const name = `port ${DEFAULT_PORT}`;
  if (apiPortProblem === undefined) return { name, status: 'ok', detail: 'free' };
  return {
    name,
    status: 'note',
    detail: `taken (${apiPortProblem}); only \`swarmbench serve\` uses it`,
    fix: 'swarmbench serve --port 8889',
  };
}

function results({ results: { folder, problem, freeBytes } }: Facts): Finding {
  if (problem !== undefined)
    return {
      name: 'results folder',
      status: 'missing',
      detail: `cannot be written: ${problem}`,
      fix: 'swarmbench run --out FOLDER',
    };
  if (freeBytes !== undefined && freeBytes < GIB)
    return {
      name: 'results folder',
      status: 'warn',
      detail: `${folder}, ${bytes(freeBytes)} free`,
      fix: `du -sh ${folder}/*`,
    };
  return {
    name: 'results folder',
    status: 'ok',
    detail: `${folder}${freeBytes === undefined ? '' : `, ${bytes(freeBytes)} free`}`,
  };
}

function programs({ programs: { chromium, wrk, docker } }: Facts): readonly Finding[] {
  const optional = (name: string, found: string | undefined, why: string, fix: string): Finding =>
    found === undefined
      ? { name, status: 'note', detail: `not found; only ${why}`, fix }
      : { name, status: 'ok', detail: found };
  return [
    optional('Docker engine', docker, 'the swarm platform needs it', 'https://docs.docker.com/engine/install/'),
    optional('wrk', wrk, '`npm run bench:engine` compares with it', 'sudo apt-get install wrk'),
    optional('Chromium', chromium, 'the browser tests of the report use it', 'sudo apt-get install chromium'),
  ];
}

/** What services of a stack will find; none of it is needed without a swarm. */
function kernel({ kernel: facts }: Facts): readonly Finding[] {
  if (facts === undefined) return [];
  const { triedIn, vxlan, ipvs, netem, openFiles } = facts;
  return [
    ability(
      'overlay networks',
      vxlan,
      'vxlan',
      'warn',
      'services on different nodes cannot reach each other',
      FIXES.vxlan,
    ),
    ability(
      'virtual addresses',
      ipvs,
      'IPVS',
      'note',
      'no `endpoint_mode: vip`, no ingress ports; swarm/stack.yml uses neither',
      FIXES.ipvs,
    ),
    ability(
      'packet delay',
      netem,
      'netem',
      'note',
      'the kernel has no queue that delays or loses packets',
      FIXES.netem,
    ),
    containerFiles(triedIn, openFiles),
  ];
}

function ability(
  name: string,
  tried: Ability,
  what: string,
  status: 'warn' | 'note',
  without: string,
  fix: string,
): Finding {
  switch (tried.kind) {
    case 'yes':
      return { name, status: 'ok', detail: what };
    case 'no':
      return { name, status, detail: `no ${what} (${tried.words}): ${without}`, fix };
    case 'unknown':
      return { name, status: 'note', detail: `${what} was not tried: ${tried.words}`, fix: 'sudo swarmbench doctor' };
  }
}

function containerFiles(
  triedIn: 'container' | 'namespace' | undefined,
  openFiles: { readonly soft: number; readonly hard: number } | undefined,
): Finding {
  const name = 'open files of containers';
  if (openFiles === undefined) {
    const why = triedIn === 'container' ? 'the container did not say' : 'there is no image to try it in';
    return { name, status: 'note', detail: `not tried: ${why}`, fix: 'swarmbench images --offline' };
  }
  if (openFiles.soft >= WANTED_FILES) return { name, status: 'ok', detail: count(openFiles.soft) };
  return {
    name,
    status: 'warn',
    detail: `${count(openFiles.soft)}; thousands of connections need more`,
    fix: FIXES.openFiles,
  };
}
