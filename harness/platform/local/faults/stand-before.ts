/** Prepares a run on this machine for its faults: ports that stay, the fault helper, and its proxies. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../../../../scenarios/schema/plan.js';
import { pollUntil } from '../../../support/poll-until.js';
import { readText } from '../proc.js';
import { PlatformError, type Program, type ProgramSpec } from '../program.js';
import { type FaultReplica, readState, writeTopology } from './fault-files.js';
import { isNetworkFault } from './injector.js';
import { answersIn } from './probes.js';

const HOST = '127.0.0.1';
const LOWEST_PORT = 10_000;
/** Where the kernel does not say which ports it gives to connections. */
const LOWEST_EPHEMERAL = 32_768;
const HELPER_START_MS = 20_000;
/** Pairs of requests that measure what the proxies add. */
const PROBES = 50;

/** Whether the proxies stand before the replicas. */
export function hasProxies(plan: Plan): boolean {
  return plan.faults.some(isNetworkFault);
}

/**
 * A port that nothing listens at, and that the kernel gives to no connection: a replica that is started again needs its
 * port back, and clients that try to reach it meanwhile must not take it.
 */
export async function lastingPort(taken: Set<number>): Promise<number> {
  const range = /^(\d+)/.exec(readText('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  const end = Math.max(LOWEST_PORT + 1000, Number(range?.[1] ?? LOWEST_EPHEMERAL));
  for (let tries = 0; tries < 200; tries += 1) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (end - LOWEST_PORT));
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    return port;
  }
  throw new PlatformError(
    'DEPLOY_START',
    `found no free port from ${LOWEST_PORT} to ${end}`,
    'a run with faults needs one for each replica; end programs that listen there',
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: HOST, port }, () => server.close(() => resolve(true)));
  });
}

/** A replica before proxies were put before it. */
export type BareReplica = Omit<FaultReplica, 'proxies'> & {
  /** Its URLs by transport. */
  readonly endpoints: Readonly<Record<string, string>>;
};

export interface Fronted {
  /** By id of the replica: the URLs that clients use, by transport. */
  readonly endpoints: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What the proxies add, in words; undefined without proxies. */
  readonly adds: string | undefined;
}

interface FrontOptions {
  readonly runFolder: string;
  readonly leaseArgs: readonly string[];
  readonly start: (spec: ProgramSpec) => Promise<Program>;
  readonly taken: Set<number>;
  readonly withProxies: boolean;
}

/**
 * Writes down the replicas, and starts the fault helper.
 * @throws PlatformError DEPLOY_START
 */
export async function standBefore(
  replicas: readonly BareReplica[],
  options: FrontOptions,
  signal: AbortSignal,
): Promise<Fronted> {
  const { runFolder, leaseArgs, start, taken, withProxies } = options;
  const helper = {
    entry: fileURLToPath(new URL('./helper-main.js', import.meta.url)),
    args: ['--run-folder', runFolder, ...leaseArgs],
    logFile: join(runFolder, 'logs', 'fault-helper.log'),
  };
  const fronted: FaultReplica[] = [];
  for (const { endpoints, ...replica } of replicas) {
    const ports = new Set(withProxies ? Object.values(endpoints).map((url) => Number(new URL(url).port)) : []);
    const proxies: FaultReplica['proxies'] = [];
    // The first is that of the server's own URL, which the probes use.
    for (const upstream of new Set([...(withProxies ? [Number(new URL(replica.url).port)] : []), ...ports]))
      proxies.push({ listen: await lastingPort(taken), upstream });
    fronted.push({ ...replica, proxies });
  }
  writeTopology(runFolder, { helper, replicas: fronted });
  const program = await start({ role: 'helper', name: 'fault-helper', env: {}, ...helper });
  const notStarted = (why: string): PlatformError =>
    new PlatformError('DEPLOY_START', `the fault helper ${why}`, `its log is ${helper.logFile}`);
  const look = (): boolean => {
    if (readState(runFolder)?.pid === program.pid) return true;
    if (program.exit() !== undefined) throw notStarted(`ended with ${program.exit()}`);
    return false;
  };
  const late = (): PlatformError => notStarted(`did not start within ${HELPER_START_MS / 1000} s`);
  await pollUntil(look, { everyMs: 20, withinMs: HELPER_START_MS, late }, signal);
  return {
    endpoints: new Map(replicas.map(({ id, endpoints }, at) => [id, throughProxies(endpoints, fronted[at])])),
    adds: withProxies ? await measureProxies(fronted[0]) : undefined,
  };
}

function throughProxies(
  endpoints: Readonly<Record<string, string>>,
  replica: FaultReplica | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([transport, text]) => {
      const url = new URL(text);
      const proxy = replica?.proxies.find(({ upstream }) => upstream === Number(url.port));
      if (proxy !== undefined) url.port = String(proxy.listen);
      return [transport, url.href];
    }),
  );
}

/** In turns with requests without the proxy, so that a busy moment strikes both. */
async function measureProxies(replica: FaultReplica | undefined): Promise<string | undefined> {
  if (replica === undefined) return undefined;
  const direct = new URL('/healthz', replica.url);
  const through = new URL(direct);
  through.port = String(replica.proxies[0]?.listen);
  const times: (readonly [number, number])[] = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    const pair = [await answersIn(through.href, 2000), await answersIn(direct.href, 2000)] as const;
    if (pair[0] !== undefined && pair[1] !== undefined) times.push([pair[0], pair[1]]);
  }
  if (times.length === 0) return 'what they add could not be measured: there was no answer';
  const [with_, without] = [0, 1].map((which) => median(times.map((pair) => pair[which] ?? 0)));
  return (
    `median of ${times.length} requests ${(with_ ?? 0).toFixed(2)} ms through a proxy, ` +
    `${(without ?? 0).toFixed(2)} ms without, each with a connection of its own`
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
