/** The environment section of the report: everything about this machine that influences what a run measures. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  arch,
  availableParallelism,
  cpus,
  hostname,
  loadavg,
  type as osType,
  version as osVersion,
  release,
  totalmem,
} from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readText } from './proc.js';

const SYSCTLS = [
  'net.core.somaxconn',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.tcp_max_syn_backlog',
  'net.core.rmem_max',
  'net.core.wmem_max',
] as const;

interface ProgramFacts {
  /** Folder of package.json. */
  readonly packageRoot: string;
  readonly versions: { readonly swarmbench: string; readonly node: string };
}

export async function describeMachine({
  packageRoot,
  versions,
}: ProgramFacts): Promise<Readonly<Record<string, unknown>>> {
  const processors = cpus();
  return {
    platform: 'local',
    nodes: [
      {
        name: hostname(),
        os: `${osType()} ${release()}`,
        kernel: osVersion(),
        distribution: distribution(),
        arch: arch(),
        cpuModel: processors[0]?.model.trim() ?? 'unknown',
        cores: processors.length,
        usableCores: usableCores(),
        memoryBytes: totalmem(),
        loadAverage1m: loadavg()[0] ?? 0,
      },
    ],
    limits: { openFiles: await openFileLimit(), cgroup: cgroupLimits() },
    sysctls: Object.fromEntries(
      SYSCTLS.flatMap((name) => {
        const value = sysctl(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    versions: { swarmbench: versions.swarmbench, commit: await commit(packageRoot), node: versions.node },
  };
}

export function sysctl(name: string): string | undefined {
  return readText(`/proc/sys/${name.replaceAll('.', '/')}`)
    ?.trim()
    .replaceAll(/\s+/g, ' ');
}

/** Soft and hard limit, from a shell, because Node does not have them. */
export async function openFileLimit(): Promise<{ readonly soft: number; readonly hard: number } | undefined> {
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -Sn; ulimit -Hn']);
    const [soft = NaN, hard = NaN] = stdout
      .trim()
      .split('\n')
      .map((text) => (text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text)));
    return { soft, hard };
  } catch {
    return undefined;
  }
}

/** cgroup v2 only: cores (quota / period) and bytes; undefined where there is no limit. */
function cgroupLimits(): { readonly cores?: number; readonly memoryBytes?: number } {
  const path = /^0::(.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1];
  if (path === undefined) return {};
  const [quota, period] = (readText(join('/sys/fs/cgroup', path, 'cpu.max')) ?? 'max').trim().split(' ').map(Number);
  const memoryBytes = Number((readText(join('/sys/fs/cgroup', path, 'memory.max')) ?? 'max').trim());
  return {
    ...(quota !== undefined && period !== undefined && Number.isFinite(quota) ? { cores: quota / period } : {}),
    ...(Number.isFinite(memoryBytes) ? { memoryBytes } : {}),
  };
}

/** Whole cores that this process may keep busy, by its affinity and by the quota of its cgroup, which Node ignores. */
export function usableCores(): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), cgroupLimits().cores ?? Infinity)));
}

function distribution(): string | undefined {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readText('/etc/os-release') ?? '')?.[1];
}

/** The commit of swarmbench itself, if it runs from a checkout; `+changes` if that has uncommitted changes. */
async function commit(root: string): Promise<string | undefined> {
  if (!existsSync(join(root, '.git'))) return undefined;
  const git = (...args: string[]): Promise<string> =>
    promisify(execFile)('git', ['-C', root, ...args], { timeout: 2_000 }).then(({ stdout }) => stdout.trim());
  try {
    const hash = await git('rev-parse', 'HEAD');
    return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? hash : `${hash}+changes`;
  } catch {
    return undefined;
  }
}
