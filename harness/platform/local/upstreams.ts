/** Servers behind a gateway: starts them, has the gateway told of them, and waits until it lists their tools. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { endpointsFor, urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import { type ToolsSeen, toolsSeen, type WatchOrder } from '../../../client-sim/protocol/watch-order.js';
import type { Plan, UpstreamPlan, UpstreamsPlan } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { messageOf } from '../../support/error-message.js';
import type { PlatformContext, Registered } from '../platform.js';
import {
  type CommandSpec,
  endPrograms,
  logTail,
  PlatformError,
  type ProcessHost,
  type Program,
  type ProgramSpec,
  waitUntilHealthy,
  waitUntilListening,
} from './program.js';

const START_BUDGET_MS = 20_000;
/** So many servers are started at once: more would only wait for the cores. */
const AT_ONCE = 8;

interface Upstream {
  readonly name: string;
  readonly url: string;
  readonly tools: number;
}

interface Setting {
  readonly plan: Plan;
  readonly upstreams: UpstreamsPlan;
  readonly context: PlatformContext;
  readonly start: (spec: ProgramSpec | CommandSpec) => Promise<Program>;
  readonly host: ProcessHost;
  readonly signal: AbortSignal;
}

/**
 * What the command leaves running belongs to the run, and is ended with it.
 * @returns undefined in a plan without upstreams
 * @throws PlatformError DEPLOY_SPAWN; TARGET_PREPARE with what the gateway or the command said; TARGET_UPSTREAMS
 */
export async function startUpstreams(
  plan: Plan,
  context: PlatformContext,
  start: Setting['start'],
  host: ProcessHost,
  signal: AbortSignal,
): Promise<Registered | undefined> {
  const { upstreams } = plan;
  if (upstreams === undefined) return undefined;
  const setting = { plan, upstreams, context, start, host, signal };
  const started: Upstream[] = [];
  const waiting = [...upstreams.servers];
  for (let next = waiting.splice(0, AT_ONCE); next.length > 0; next = waiting.splice(0, AT_ONCE))
    started.push(...(await Promise.all(next.map((server) => startUpstream(server, setting)))));
  return register(started, setting);
}

async function startUpstream(server: UpstreamPlan, { plan, context, start, signal }: Setting): Promise<Upstream> {
  const { name, tools, toolBytes, schemaDepth, answerBytes, pageSize } = server;
  const sizes = {
    '--tools': tools,
    '--tool-bytes': toolBytes,
    '--schema-depth': schemaDepth,
    '--answer-bytes': answerBytes,
    '--page-size': pageSize,
  };
  const program = await start({
    role: 'target',
    name,
    entry: entryPoint('../../../swarm/reference-server/main.js'),
    args: [
      ...['--host', '127.0.0.1', '--port', '0', '--id', name, '--seed', String(plan.seed)],
      ...Object.entries(sizes).flatMap(([option, value]) => (value === undefined ? [] : [option, String(value)])),
      ...['--lease', join(context.runFolder, 'controller.lease')],
    ],
    env: {},
    logFile: join(context.runFolder, 'logs', `${name}.log`),
  });
  const { url, endpoints } = await waitUntilListening(program, START_BUDGET_MS, signal);
  await waitUntilHealthy(program, url, START_BUDGET_MS, signal);
  return { name, url: endpoints['streamable-http'] ?? url.href, tools };
}

async function register(servers: readonly Upstream[], setting: Setting): Promise<Registered> {
  const { upstreams, host, signal } = setting;
  // It looks already while the gateway is told, so that what is listed at once is seen at once.
  const watcher = await startWatcher(servers, setting);
  try {
    await firstLook(watcher, signal);
    const giveUp = AbortSignal.timeout(upstreams.timeoutMs);
    const began = epochMs();
    await tell(servers, setting, giveUp);
    const prepareMs = epochMs() - began;
    const looks = await allListed(watcher, setting, giveUp);
    const last = looks.at(-1);
    if (last === undefined) throw new Error('the gateway was not looked at');
    const before = looks.at(-2)?.atMs ?? began;
    return {
      servers: servers.length,
      tools: servers.reduce((sum, { tools }) => sum + tools, 0),
      listed: last.listed,
      prepareMs,
      allListedMs: Math.max(0, last.atMs - began),
      notYetMs: Math.max(0, before - began),
      listMs: last.listMs,
    };
  } finally {
    await endPrograms([watcher], host);
  }
}

function startWatcher(servers: readonly Upstream[], { plan, context, start }: Setting): Promise<Program> {
  const { target, profiles } = plan;
  const transport = profiles[0]?.transport ?? 'streamable-http';
  const [endpoint] = target.kind === 'url' ? endpointsFor(urlEndpoints(target), transport) : [];
  if (endpoint === undefined)
    throw new PlatformError('TARGET_PREPARE', `the gateway has no address for ${transport}`, 'see target.server');
  const awaited = servers.map(({ name, tools }) => ({ name, tools }));
  const order: WatchOrder = { endpoint, transport, era: target.era, servers: awaited };
  return start({
    role: 'helper',
    name: 'tool-watcher',
    entry: entryPoint('../../../client-sim/main.js'),
    args: ['--watch-tools'],
    // Not in the arguments, which every user of the machine can read.
    env: { SWARMBENCH_WATCH_ORDER: JSON.stringify(order) },
    logFile: join(context.runFolder, 'logs', 'tool-watcher.log'),
  });
}

const POLL_MS = 20;

/**
 * Waits until the gateway was looked at once, or could not be reached, before it is told of anything.
 * @throws PlatformError TARGET_PREPARE when it lists tools of such servers already
 */
async function firstLook(watcher: Program, signal: AbortSignal): Promise<void> {
  let look: ToolsSeen | undefined;
  while (look === undefined && watcher.exit() === undefined) {
    await sleep(POLL_MS, undefined, { signal });
    [look] = looksOf(watcher);
  }
  if (look !== undefined && look.awaited > look.missing)
    throw new PlatformError(
      'TARGET_PREPARE',
      `before it is told of its servers, the gateway lists ${look.awaited - look.missing} of their tools`,
      'are they left from a run before? Remove the servers upstream1, ... from it, or start it anew',
    );
}

/** @throws PlatformError TARGET_PREPARE */
async function tell(servers: readonly Upstream[], setting: Setting, giveUp: AbortSignal): Promise<void> {
  const { prepare } = setting.upstreams;
  if (prepare.kind === 'command') await runCommand(prepare.command, servers, setting, giveUp);
  else await call(prepare, servers, setting, giveUp);
}

async function runCommand(
  command: readonly string[],
  servers: readonly Upstream[],
  { plan, context, start, signal, upstreams }: Setting,
  giveUp: AbortSignal,
): Promise<void> {
  const logFile = join(context.runFolder, 'logs', 'prepare.log');
  const target = plan.target.kind === 'url' ? (plan.target.urls[0] ?? '') : '';
  const env = { SWARMBENCH_UPSTREAMS: JSON.stringify(servers), SWARMBENCH_TARGET: target };
  const program = await start({ role: 'helper', name: 'target.prepare', command, env, logFile });
  await orAborted(program.exited, signal, giveUp);
  signal.throwIfAborted();
  const exit = program.exit();
  if (exit === 'exit code 0') return;
  const how = exit === undefined ? `did not end within ${upstreams.timeoutMs / 1000} s` : `ended with ${exit}`;
  const hint =
    exit === undefined
      ? 'give it more time (target.prepareTimeout), or let it leave what must run on in the background'
      : `its whole output is ${logFile}`;
  throw new PlatformError(
    'TARGET_PREPARE',
    `\`${command.join(' ')}\` (target.prepare) ${how}${logTail(program)}`,
    hint,
  );
}

type Call = Extract<UpstreamsPlan['prepare'], { kind: 'call' }>;

async function call(
  { url, method, headers, body }: Call,
  servers: readonly Upstream[],
  { signal, upstreams }: Setting,
  giveUp: AbortSignal,
): Promise<void> {
  const isForEach = /\{\{\s*(?:name|url)\s*\}\}/.test(JSON.stringify([url, headers, body ?? '']));
  for (const server of isForEach ? servers : [undefined]) {
    const about = server === undefined ? '' : ` about ${server.name}`;
    const asText = (text: string): string => filled(text, server, servers);
    const address = filled(url, server, servers, encodeURIComponent);
    const what = `${method} ${shownUrl(address)} (target.prepare)${about}`;
    try {
      const answer = await request(address, {
        method,
        headers: {
          ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), asText(value)])),
        },
        ...(body === undefined ? {} : { body: bodyText(body, server, servers) }),
        signal: AbortSignal.any([signal, giveUp]),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 200 && answer.statusCode < 300) continue;
      throw new Error(
        `answered ${answer.statusCode}${text.trim() === '' ? '' : `:\n    ${text.trim().slice(0, 1_000)}`}`,
      );
    } catch (error) {
      signal.throwIfAborted();
      const why = giveUp.aborted ? `was not answered within ${upstreams.timeoutMs / 1000} s` : messageOf(error);
      throw new PlatformError(
        'TARGET_PREPARE',
        `${what}: ${why}`,
        'is the gateway up, and does it take servers this way? See target.prepare',
      );
    }
  }
}

function bodyText(body: unknown, server: Upstream | undefined, servers: readonly Upstream[]): string {
  if (typeof body === 'string') return filled(body, server, servers);
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string')
      return /^\{\{\s*upstreams\s*\}\}$/.test(value) ? listOf(servers) : filled(value, server, servers);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
  };
  return JSON.stringify(fill(body));
}

function listOf(servers: readonly Upstream[]): readonly Pick<Upstream, 'name' | 'url'>[] {
  return servers.map(({ name, url }) => ({ name, url }));
}

function filled(
  text: string,
  server: Upstream | undefined,
  servers: readonly Upstream[],
  encode: (value: string) => string = (value) => value,
): string {
  return text.replaceAll(/\{\{\s*(name|url|upstreams)\s*\}\}/g, (_, key: 'name' | 'url' | 'upstreams') =>
    encode(key === 'upstreams' ? JSON.stringify(listOf(servers)) : (server?.[key] ?? '')),
  );
}

/** @returns all looks, of which the last misses nothing @throws PlatformError TARGET_UPSTREAMS */
async function allListed(watcher: Program, setting: Setting, giveUp: AbortSignal): Promise<readonly ToolsSeen[]> {
  const { signal, upstreams, plan } = setting;
  await orAborted(watcher.exited, signal, giveUp);
  signal.throwIfAborted();
  const looks = looksOf(watcher);
  const last = looks.at(-1);
  if (last?.missing === 0) return looks;
  const gateway = plan.target.kind === 'url' ? shownUrl(plan.target.urls[0] ?? '') : '';
  if (watcher.exit() !== undefined)
    throw new PlatformError(
      'TARGET_UPSTREAMS',
      `the program that looks at ${gateway} ended with ${watcher.exit()}${logTail(watcher)}`,
      `its log is ${watcher.logFile}`,
    );
  const { firstMissing = [], missing = 0, listed = 0, problem } = last ?? {};
  const more = missing > firstMissing.length ? ', ...' : '';
  const seen =
    last === undefined
      ? 'it was not looked at in time'
      : (problem ??
        `it lists ${listed} tools, and ${missing} of its servers' are missing: ${firstMissing.join(', ')}${more}`);
  throw new PlatformError(
    'TARGET_UPSTREAMS',
    `${gateway} did not list the tools of all its servers within ${upstreams.timeoutMs / 1000} s: ${seen}`,
    'look at the log of the gateway, or give it more time: target.prepareTimeout',
  );
}

function looksOf(watcher: Program): readonly ToolsSeen[] {
  return readFileSync(watcher.logFile, 'utf8')
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"atMs"'))
    .map((line) => toolsSeen.parse(JSON.parse(line)));
}

/** Until it is done, or one of the signals aborts. */
function orAborted(done: Promise<void>, ...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    any.addEventListener('abort', () => resolve(), { once: true });
    void done.then(resolve);
  });
}

function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

/** In the same build as this file. */
function entryPoint(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
