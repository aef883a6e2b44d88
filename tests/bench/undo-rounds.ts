/**
 * `npm run bench:undo [-- --rounds 10 --victims harness,agent,cli,helper,engine --seed 1]`: whether faults of the
 * network are undone whoever dies. Each round runs five faults of the network at once on a stack, kills one of our
 * parts at a random moment of them, and looks every half second into the namespaces of the replicas and at the
 * engine's containers, until nothing of ours is left. Needs root and an engine of this machine that is a Swarm manager;
 * `engine` only one that tools/engine-up.sh started.
 *
 * The limit counts from the moment from which nobody can renew the faults: when the harness is gone for good, that is
 * its death; else the end of the faults, or of the death of the engine, its return.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import Docker from 'dockerode';
import { engineAddress } from '../../harness/platform/swarm/engine/address.js';
import { buildImages } from '../../harness/platform/swarm/images/build-images.js';
import { buildRoot, packageRoot } from '../support/package-root.js';
import { makeStandIns, WITHOUT_GRAFANA } from '../support/swarm/stand-ins.js';
import { median } from './median.js';
import { table } from './table.js';

const victims = ['harness', 'agent', 'cli', 'helper', 'engine'] as const;
type Victim = (typeof victims)[number];

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    victims: { type: 'string', default: victims.join(',') },
    seed: { type: 'string', default: '1' },
  },
});

const STACK = 'swarmbench-undo';
const KINDS = 5;
const LEASE_MS = 10_000;
const LIMIT_MS = LEASE_MS + 10_000;
const LOOK_MS = 500;
/** How long the faults last. */
const FAULT_MS = 8_000;
/** The death comes so long after all faults were seen in effect, at most. */
const MOMENT_MS = 4_000;
/** What is left of ours in a namespace, one line each. */
const LEFT_IN_NAMESPACE = [
  'PATH=$PATH:/usr/sbin:/sbin',
  'nft list tables | grep swarmbench_',
  'iptables-save | grep SWARMBENCH_',
  "tc qdisc show | grep ' 5b5b: '",
  'true',
].join('\n');

interface Round {
  readonly victim: Victim;
  /** From the first fault in effect to the death. */
  readonly momentMs: number;
  /** From when the limit counts until nothing was left; 0: nothing was left by then. */
  readonly cleanMs: number;
  readonly left: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'swarmbench-undo-'));
const docker = new Docker(engineAddress(process.env).options);
const environment = await imagesAndPorts();
const random = seeded(Number(options.seed));

try {
  const rounds: Round[] = [];
  for (let number = 1; number <= Number(options.rounds); number += 1)
    for (const victim of options.victims.split(',').map(victimNamed)) {
      const round = await play(victim);
      rounds.push(round);
      const result = round.left.length === 0 ? `clean after ${(round.cleanMs / 1000).toFixed(1)} s` : 'NOT CLEAN';
      say(`round ${number}: ${victim} killed after ${(round.momentMs / 1000).toFixed(1)} s: ${result}`);
      for (const line of round.left) say(`  left: ${line}`);
    }
  process.stdout.write(`${summary(rounds)}\n`);
  if (rounds.some(({ left }) => left.length > 0)) process.exitCode = 1;
} finally {
  await swarmbench('down', '--stack', STACK, '--volumes').catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}

async function play(victim: Victim): Promise<Round> {
  await swarmbench('up', '--stack', STACK);
  const lastMs = victim === 'harness' ? FAULT_MS * 5 : FAULT_MS;
  const { cli, inEffect } = startRun(lastMs);
  const startedAt = await inEffect;
  await sleep(random() * MOMENT_MS);
  const momentMs = Date.now() - startedAt;
  const countsFrom = await kill(victim, cli, startedAt + lastMs);
  let left = await whatIsLeft();
  while (left.length > 0 && Date.now() < countsFrom + LIMIT_MS) {
    await sleep(LOOK_MS);
    left = await whatIsLeft();
  }
  const cleanMs = Math.max(0, Date.now() - countsFrom);
  cli.kill('SIGKILL');
  // Another harness would carry on with the run.
  if (victim === 'harness' || victim === 'engine') await swarmbench('down', '--stack', STACK, '--volumes');
  while ((await running('client-sim-')).length > 0) await sleep(LOOK_MS);
  return { victim, momentMs, cleanMs, left };
}

/** @returns from when the limit counts, epoch ms */
async function kill(victim: Victim, cli: ChildProcess, faultsEndAt: number): Promise<number> {
  switch (victim) {
    case 'harness': {
      const [id = ''] = await running('harness');
      await run('docker', ['kill', '--signal', 'KILL', id]);
      const killedAt = Date.now();
      // Nobody adopts its run.
      await run('docker', ['service', 'scale', '--detach', `${STACK}_harness=0`]);
      return killedAt;
    }
    case 'agent':
      await run('docker', ['kill', '--signal', 'KILL', ...(await running('agent'))]);
      return faultsEndAt;
    case 'cli':
      cli.kill('SIGKILL');
      return faultsEndAt;
    case 'helper': {
      const helpers = await docker.listContainers({ filters: { label: ['swarmbench.fault'] } });
      await run('docker', ['kill', '--signal', 'KILL', ...helpers.map(({ Id }) => Id)]);
      return faultsEndAt;
    }
    case 'engine': {
      // As tools/engine-state.sh has it.
      const engine = process.env.ENGINE_DIR ?? '/var/lib/swarmbench-engine';
      process.kill(Number(readFileSync(join(engine, 'dockerd.pid'), 'utf8')), 'SIGKILL');
      await run(join(packageRoot, 'tools', 'engine-up.sh'), []);
      return Math.max(Date.now(), faultsEndAt);
    }
  }
}

function startRun(lastMs: number): { readonly cli: ChildProcess; readonly inEffect: Promise<number> } {
  const lasting = { at: '1s', for: `${lastMs}ms` };
  const faults = [
    { ...lasting, kind: 'partition', replica: 1 },
    { ...lasting, kind: 'delay', replica: 2, delay: '60ms' },
    { ...lasting, kind: 'loss', replica: 3, loss: '30%' },
    { ...lasting, kind: 'rate', replica: 4, rate: '1 kB/s' },
    { ...lasting, kind: 'reset', replica: 5, reset: '50%' },
  ];
  const scenario = {
    name: 'undo',
    target: { server: 'reference', replicas: faults.length, era: 'legacy' },
    workload: {
      caller: {
        profile: 'low-load',
        clients: 10,
        timeout: '2s',
        arrivals: { rate: '10/s' },
        operations: [{ tool: 'echo', arguments: { message: 'hi' } }],
      },
    },
    stages: [{ name: 'steady', duration: `${lastMs + 6000}ms` }],
    drain: '1s',
    faults,
  };
  const file = join(folder, 'undo.yaml');
  writeFileSync(file, JSON.stringify(scenario));
  const cli = spawn(process.execPath, [main(), 'run', file, '--on', 'swarm', '--stack', STACK], {
    cwd: folder,
    env: { ...process.env, ...environment, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  const inEffect = new Promise<number>((resolve, reject) => {
    let startedAt: number | undefined;
    cli.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const seen = output.match(/^fault \S+ is in effect/gm)?.length ?? 0;
      if (seen > 0) startedAt ??= Date.now();
      if (seen === KINDS && startedAt !== undefined) resolve(startedAt);
    });
    cli.once('close', () => reject(new Error(`the run ended before all faults were in effect:\n${output}`)));
  });
  return { cli, inEffect };
}

/** Helpers that run, marks, and rules, chains and queues of ours in the namespace of each replica. */
async function whatIsLeft(): Promise<readonly string[]> {
  const helpers = await docker.listContainers({ all: true, filters: { label: ['swarmbench.fault'] } });
  const containers = helpers
    .filter(({ State }) => State === 'running' || State === 'created')
    .map(({ Id, Labels }) => `container ${Id.slice(0, 12)} (${Labels['swarmbench.fault']})`);
  const replicas = await running('mcp-server');
  const found = await Promise.all(
    replicas.map(async (id) => {
      const tools = environment.NETTOOLS_IMAGE ?? '';
      const inside = ['--network', `container:${id}`, '--cap-add', 'NET_ADMIN', '--entrypoint', 'sh'];
      const text = await run('docker', ['run', '--rm', ...inside, tools, '-c', LEFT_IN_NAMESPACE]).catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `in the namespace of ${id.slice(0, 12)}: ${line}`);
    }),
  );
  return [...containers, ...found.flat()];
}

async function running(service: string): Promise<readonly string[]> {
  const found = await docker.listContainers({ filters: { label: [`com.docker.stack.namespace=${STACK}`] } });
  const ofService = new RegExp(`^${STACK}_${service}`);
  return found
    .filter(({ Labels }) => ofService.test(Labels['com.docker.swarm.service.name'] ?? ''))
    .map(({ Id }) => Id);
}

async function imagesAndPorts(): Promise<Readonly<Record<string, string>>> {
  const signal = AbortSignal.timeout(300_000);
  const standIns = await makeStandIns(docker, signal);
  const base = standIns.environment.NODE_IMAGE;
  const own = await buildImages({ docker, packageRoot, base, onProgress: () => undefined, signal });
  const ports = { HARNESS_PORT: '28888', GATEWAY_PORT: '28080', GATEWAY_STREAM_PORT: '25555' };
  return { ...standIns.environment, ...own.environment, ...WITHOUT_GRAFANA, ...ports, HEALTH_INTERVAL: '2s' };
}

function main(): string {
  return join(buildRoot, 'harness/cli/main.js');
}

async function swarmbench(...args: readonly string[]): Promise<void> {
  await run(process.execPath, [main(), ...args]);
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 24,
  });
  return stdout;
}

function victimNamed(name: string): Victim {
  const found = victims.find((victim) => victim === name);
  if (found === undefined) throw new Error(`${name} is none of ${victims.join(', ')}`);
  return found;
}

function summary(rounds: readonly Round[]): string {
  const rows = victims.flatMap((victim) => {
    const own = rounds.filter((round) => round.victim === victim);
    if (own.length === 0) return [];
    const seconds = own.map(({ cleanMs }) => cleanMs / 1000);
    const clean = own.filter(({ left }) => left.length === 0).length;
    return [[victim, `${clean} of ${own.length}`, median(seconds).toFixed(1), Math.max(...seconds).toFixed(1)]];
  });
  return table([['killed', 'clean', 'median s', 'worst s'], ...rows]);
}

/** Mulberry32: the same moments for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
