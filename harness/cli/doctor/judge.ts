/** From facts to findings: each has a status and, if something is wrong, the command that fixes it. */
import {
  type Ability,
  FIXES,
  type KernelFacts,
  WANTED_CONNTRACK,
  WANTED_FILES,
} from '../../platform/swarm/kernel/kernel-facts.js';
import { DEFAULT_PORT } from '../defaults.js';
import { bytes, count } from '../terminal/quantity.js';
import type { Facts } from './facts.js';

export interface Finding {
  readonly name: string;
  /** `missing` prevents runs, `warn` limits what can be measured, `note` is about something optional. */
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
    ...faults(facts),
  ].filter((finding) => finding !== undefined);
}

function node({ nodeVersion }: Facts): Finding {
  const name = 'Node.js';
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return { name, status: 'ok', detail: nodeVersion };
  return {
    name,
    status: 'missing',
    detail: `${nodeVersion}; 20.19 or newer is needed`,
    fix: 'install a newer Node.js',
  };
}

function cores({ cores }: Facts): Finding {
  const name = 'cores';
  if (cores >= 2) return { name, status: 'ok', detail: `${cores}` };
  return {
    name,
    status: 'warn',
    detail: 'one, which the load generator and the target have to share',
    fix: 'put the target on another machine: swarmbench run --target URL',
  };
}

function load({ loadAverage, cores }: Facts): Finding {
  const name = 'other load';
  const detail = `${loadAverage.toFixed(2)} over the last minute`;
  if (loadAverage < 0.5 * cores) return { name, status: 'ok', detail };
  return { name, status: 'warn', detail: `${detail}: other programs are busy, so results will be noisy`, fix: 'top' };
}

function memory({ memoryBytes, freeMemoryBytes }: Facts): Finding {
  const name = 'memory';
  const detail = `${bytes(freeMemoryBytes)} free of ${bytes(memoryBytes)}`;
  if (freeMemoryBytes >= GIB) return { name, status: 'ok', detail };
  return { name, status: 'warn', detail: `${detail}; at least 1 GiB should be free`, fix: 'top -o %MEM' };
}

function openFiles({ openFiles }: Facts): Finding | undefined {
  if (openFiles === undefined) return undefined;
  const name = 'open files';
  const { soft, hard } = openFiles;
  const detail = `${count(soft)} (hard limit ${hard === Number.MAX_SAFE_INTEGER ? 'none' : count(hard)})`;
  if (soft >= WANTED_FILES) return { name, status: 'ok', detail };
  return {
    name,
    status: 'warn',
    detail: `${detail}; thousands of connections need more`,
    fix: `ulimit -n ${Math.min(hard, 65_536)}`,
  };
}

function localPorts({ localPorts }: Facts): Finding | undefined {
  if (localPorts === undefined) return undefined;
  const name = 'local ports';
  if (localPorts >= WANTED_PORTS) return { name, status: 'ok', detail: count(localPorts) };
  return {
    name,
    status: 'warn',
    detail: `${count(localPorts)}; clients that reconnect often use up one per connection`,
    fix: 'sudo sysctl -w net.ipv4.ip_local_port_range="10240 65535"',
  };
}

function backlog({ somaxconn }: Facts): Finding | undefined {
  if (somaxconn === undefined) return undefined;
  const name = 'listen backlog';
  if (somaxconn >= WANTED_BACKLOG) return { name, status: 'ok', detail: count(somaxconn) };
  return {
    name,
    status: 'warn',
    detail: `${count(somaxconn)}; a burst of new connections overflows it`,
    fix: 'sudo sysctl -w net.core.somaxconn=4096',
  };
}

function conntrack({ conntrackRoom, conntrackMax }: Facts): Finding {
  const name = 'connection tracking';
  if (conntrackRoom === undefined) return { name, status: 'ok', detail: 'none' };
  const room = `room for ${count(conntrackRoom)}${conntrackMax === undefined ? '' : ` of ${count(conntrackMax)}`}`;
  if (conntrackRoom >= WANTED_CONNTRACK) return { name, status: 'ok', detail: room };
  return { name, status: 'warn', detail: `${room}; the kernel drops packets beyond that`, fix: FIXES.conntrack };
}

function governor({ cpuGovernor }: Facts): Finding | undefined {
  if (cpuGovernor === undefined) return undefined;
  const name = 'CPU governor';
  if (cpuGovernor !== 'powersave') return { name, status: 'ok', detail: cpuGovernor };
  return {
    name,
    status: 'warn',
    detail: 'powersave: latencies will be longer and vary more',
    fix: 'sudo cpupower frequency-set -g performance',
  };
}

function apiPort({ apiPortProblem }: Facts): Finding {
  const name = `port ${DEFAULT_PORT}`;
  if (apiPortProblem === undefined) return { name, status: 'ok', detail: 'free' };
  return {
    name,
    status: 'note',
    detail: `not free (${apiPortProblem}); only \`swarmbench serve\` uses it`,
    fix: 'swarmbench serve --port 8889',
  };
}

function results({ results: { folder, problem, freeBytes } }: Facts): Finding {
  const name = 'results folder';
  if (problem !== undefined)
    return { name, status: 'missing', detail: `cannot be written: ${problem}`, fix: 'swarmbench run --out FOLDER' };
  if (freeBytes === undefined) return { name, status: 'ok', detail: folder };
  const detail = `${folder}, ${bytes(freeBytes)} free`;
  return freeBytes < GIB ? { name, status: 'warn', detail, fix: `du -sh ${folder}/*` } : { name, status: 'ok', detail };
}

function programs({ programs: { chromium, wrk, docker } }: Facts): readonly Finding[] {
  return [
    optional('Docker engine', docker, 'the swarm platform', 'https://docs.docker.com/engine/install/'),
    optional('wrk', wrk, '`npm run bench:engine`', 'sudo apt-get install wrk'),
    optional('Chromium', chromium, 'the browser tests of the report', 'sudo apt-get install chromium'),
  ];
}

function optional(name: string, found: string | undefined, neededFor: string, fix: string): Finding {
  if (found !== undefined) return { name, status: 'ok', detail: found };
  return { name, status: 'note', detail: `not found; needed only for ${neededFor}`, fix };
}

/** The kernel as the services of a stack find it. Without a swarm none of this is needed. */
function kernel({ kernel: facts }: Facts): readonly Finding[] {
  if (facts === undefined) return [];
  const { triedIn, vxlan, ipvs, netem, openFiles } = facts;
  return [
    ability(vxlan, {
      name: 'overlay networks',
      feature: 'vxlan',
      status: 'warn',
      consequence: 'services on different nodes cannot reach each other',
      fix: FIXES.vxlan,
    }),
    ability(ipvs, {
      name: 'virtual addresses',
      feature: 'IPVS',
      status: 'note',
      consequence: 'no `endpoint_mode: vip` and no ingress ports; swarm/stack.yml uses neither',
      fix: FIXES.ipvs,
    }),
    ability(netem, {
      name: 'packet delay',
      feature: 'netem',
      status: 'note',
      consequence: 'the faults `delay` and slow `dns` need nfqdelay in place of it',
      fix: FIXES.netem,
    }),
    containerFiles(triedIn, openFiles),
  ];
}

/** What faults on a swarm need, as their helpers would do it. `pause`, `kill` and their like need the engine alone. */
function faults({ faults: tried }: Facts): readonly Finding[] {
  return (tried ?? []).map(({ kinds, ability: found, how }) => {
    const name = `faults ${kinds.join(', ')}`;
    if (found.kind === 'yes') return { name, status: 'ok', detail: how };
    const detail = found.kind === 'no' ? `cannot be made on a swarm: ${found.reason}` : `not tried: ${found.reason}`;
    return { name, status: 'note', detail, fix: FIXES.faults };
  });
}

interface AbilityTexts {
  readonly name: string;
  readonly feature: string;
  /** Without the feature. */
  readonly status: 'warn' | 'note';
  readonly consequence: string;
  readonly fix: string;
}

function ability(tried: Ability, { name, feature, status, consequence, fix }: AbilityTexts): Finding {
  switch (tried.kind) {
    case 'yes':
      return { name, status: 'ok', detail: feature };
    case 'no':
      return { name, status, detail: `no ${feature} (${tried.reason}): ${consequence}`, fix };
    case 'unknown':
      return {
        name,
        status: 'note',
        detail: `${feature} was not tested: ${tried.reason}`,
        fix: 'sudo swarmbench doctor',
      };
  }
}

function containerFiles(triedIn: KernelFacts['triedIn'], openFiles: KernelFacts['openFiles']): Finding {
  const name = 'open files of containers';
  if (openFiles === undefined) {
    const reason = triedIn === 'container' ? 'the container did not report it' : 'there is no image to test it with';
    return {
      name,
      status: 'note',
      detail: `not tested: ${reason}`,
      fix: 'NETTOOLS_IMAGE=IMAGE swarmbench doctor, with any image that has sh, ip and tc',
    };
  }
  const { soft } = openFiles;
  if (soft >= WANTED_FILES) return { name, status: 'ok', detail: count(soft) };
  return { name, status: 'warn', detail: `${count(soft)}; thousands of connections need more`, fix: FIXES.openFiles };
}
