/** Reads the facts. Judging them is in `judge.ts`, so that it can be tested for machines that we do not have. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, loadavg, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { openFileLimit, sysctl, usableCores } from '../../platform/local/describe-machine.js';
import { readText } from '../../platform/local/proc.js';
import { type KernelFacts, untried } from '../../platform/swarm/kernel/kernel-facts.js';
import type { FaultAbility } from '../../platform/swarm/kernel/try-faults.js';
import { messageOf } from '../../support/error-message.js';
import { DEFAULT_PORT } from '../defaults.js';
import type { Host } from '../host.js';

export interface Facts {
  readonly nodeVersion: string;
  readonly cores: number;
  readonly loadAverage: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly openFiles: { readonly soft: number; readonly hard: number } | undefined;
  readonly localPorts: number | undefined;
  readonly somaxconn: number | undefined;
  /** Free entries of the connection tracking table; undefined when the kernel does not track connections. */
  readonly conntrackRoom: number | undefined;
  readonly conntrackMax: number | undefined;
  readonly cpuGovernor: string | undefined;
  /** Why the port of the API cannot be used; undefined when it is free. */
  readonly apiPortProblem: string | undefined;
  readonly results: {
    readonly folder: string;
    readonly problem: string | undefined;
    readonly freeBytes: number | undefined;
  };
  /** About the machine of the Docker engine; undefined when no engine answers. */
  readonly kernel: KernelFacts | undefined;
  /** What the kinds of faults on a swarm need; undefined when no engine answers. */
  readonly faults: readonly FaultAbility[] | undefined;
  readonly programs: {
    readonly chromium: string | undefined;
    readonly wrk: string | undefined;
    readonly docker: string | undefined;
  };
}

export async function gatherFacts(host: Host, resultsFolder: string): Promise<Facts> {
  const find = (names: readonly string[]): Promise<string | undefined> => findProgram(names, host.env.PATH ?? '');
  return {
    nodeVersion: host.nodeVersion,
    cores: usableCores(),
    loadAverage: loadavg()[0] ?? 0,
    memoryBytes: totalmem(),
    freeMemoryBytes: availableMemory(),
    openFiles: await openFileLimit(),
    localPorts: portRange(),
    somaxconn: numberOf(sysctl('net.core.somaxconn')),
    conntrackRoom: conntrackRoom(),
    conntrackMax: numberOf(sysctl('net.netfilter.nf_conntrack_max')),
    cpuGovernor: readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')?.trim(),
    apiPortProblem: await portProblem(DEFAULT_PORT),
    results: { folder: resultsFolder, ...(await resultsProblem(resultsFolder, host.pid)) },
    kernel: await kernelFacts(host),
    faults: await faultAbilities(host),
    programs: {
      chromium: await find(['chromium', 'chromium-browser', 'google-chrome']),
      wrk: await find(['wrk']),
      docker: await dockerVersion(),
    },
  };
}

/** On Linux, `freemem` does not count what the page cache would give back. */
function availableMemory(): number {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo') ?? '');
  return match === null ? freemem() : Number(match[1]) * 1024;
}

function portRange(): number | undefined {
  const [low, high] = (sysctl('net.ipv4.ip_local_port_range') ?? '').split(' ').map(Number);
  return low === undefined || high === undefined ? undefined : high - low + 1;
}

function conntrackRoom(): number | undefined {
  const max = numberOf(sysctl('net.netfilter.nf_conntrack_max'));
  const used = numberOf(sysctl('net.netfilter.nf_conntrack_count'));
  return max === undefined || used === undefined ? undefined : max - used;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function portProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

async function resultsProblem(folder: string, pid: number): Promise<Pick<Facts['results'], 'problem' | 'freeBytes'>> {
  const probe = join(folder, `.doctor-${pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    return { problem: undefined, freeBytes: bavail * bsize };
  } catch (error) {
    return { problem: messageOf(error), freeBytes: undefined };
  }
}

async function findProgram(names: readonly string[], path: string): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
      const file = join(folder, name);
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return file;
    }
  }
  return undefined;
}

const TRY_MS = 15_000;

async function kernelFacts(host: Host): Promise<KernelFacts | undefined> {
  // Loaded here, because the engine's client takes long to load and only this part of the doctor needs it.
  const [{ connectEngine }, { isSwarmError }, { tryKernel }, { trialImage }] = await Promise.all([
    import('../../platform/swarm/engine/engine.js'),
    import('../stack/swarm-errors.js'),
    import('../../platform/swarm/kernel/try-kernel.js'),
    import('../stack/load-stack.js'),
  ]);
  try {
    return await tryKernel(connectEngine(host.env), trialImage(host), AbortSignal.timeout(TRY_MS));
  } catch (error) {
    if (isSwarmError(error)) return undefined;
    return untried(messageOf(error));
  }
}

async function faultAbilities(host: Host): Promise<readonly FaultAbility[] | undefined> {
  const [{ connectEngine }, { tryFaults }, { trialImage }] = await Promise.all([
    import('../../platform/swarm/engine/engine.js'),
    import('../../platform/swarm/kernel/try-faults.js'),
    import('../stack/load-stack.js'),
  ]);
  return tryFaults(connectEngine(host.env), trialImage(host), AbortSignal.timeout(TRY_MS)).catch(() => undefined);
}

/** The version of the engine: the client alone cannot run a swarm. */
async function dockerVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], {
      timeout: 3_000,
    });
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}
