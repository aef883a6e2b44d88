/** From the command line to the API of a harness that takes runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectEngine, type Engine } from '../../platform/swarm/engine/engine.js';
import { findServices, labelOf, type Stack } from '../../platform/swarm/stack/stack-objects.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { DEFAULT_PORT, DEFAULT_STACK } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { packageRoot } from '../package-root.js';
import { readToken } from '../read-token.js';
import { bringUp } from '../stack/bring-up.js';
import { loadStack } from '../stack/load-stack.js';
import { createServicesDisplay } from '../stack/services-display.js';
import { stateFolder } from '../stack/state-folder.js';
import { asCliError, isSwarmError } from '../stack/swarm-errors.js';
import { duration } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';
import { HarnessApi } from './harness-api.js';

interface HarnessOptions {
  readonly stack: string;
  /** URL of its API; then no engine is asked and nothing is deployed. */
  readonly controller: string | undefined;
  readonly tokenFile: string | undefined;
  /** File with the authorities that the certificate of its API must come from. */
  readonly controllerCa: string | undefined;
  /** Whether a stack that does not run is deployed; default: yes. */
  readonly deploys?: boolean;
  /** When the stack has to be deployed. */
  readonly withRegistryAuth: boolean;
  readonly quiet: boolean;
  /** For stderr. */
  readonly style: Style;
}

/** The harness of a stack may have been replaced a moment ago. */
const STACK_READY_MS = 30_000;
/** A harness that `--controller` names is expected to run already. */
const CONTROLLER_READY_MS = 3_000;
const UP_MS = 180_000;

/** Deploys the stack if it does not run yet. An interrupt before the harness is ready ends this. @throws CliError */
export async function connectHarness(options: HarnessOptions, host: Host): Promise<HarnessApi> {
  const { controller, stack } = options;
  const interrupted = new AbortController();
  const ignore = host.onInterrupt((signal) => interrupted.abort(new Error(signal)));
  try {
    const url =
      controller === undefined ? await harnessOfStack(options, host, interrupted.signal) : originOf(controller);
    const found = tokensFor(options, host);
    const connect = (token?: string): HarnessApi => new HarnessApi({ url, token, ...caOf(options, host) });
    const withinMs = controller === undefined ? STACK_READY_MS : CONTROLLER_READY_MS;
    await connect().waitUntilReady(withinMs, interrupted.signal);
    return await withGoodToken(found, connect, interrupted.signal);
  } catch (error) {
    if (isSwarmError(error)) throw asCliError(error, stack);
    throw error;
  } finally {
    ignore();
  }
}

async function harnessOfStack(options: HarnessOptions, host: Host, signal: AbortSignal): Promise<string> {
  const stack = { engine: connectEngine(host.env), name: options.stack };
  if (options.deploys !== false) await ensureStack(stack, options, host, signal);
  return await findHarness(stack, signal);
}

function originOf(controller: string): string {
  if (URL.canParse(controller)) return new URL(controller).origin;
  throw new CliError({
    code: 'USAGE',
    message: `--controller: \`${controller}\` is not a URL`,
    hint: 'write it like http://10.0.0.5:8888',
  });
}

interface TokensFound {
  /** Where they may be, in the order in which they are tried. */
  readonly places: readonly string[];
  readonly tokens: readonly string[];
  /** A harness that the user named may need none. */
  readonly isNeeded: boolean;
}

/**
 * The given one; else the one that `up` keeps with the stack's other files; else those of `docker stack deploy`: the
 * file that API_TOKEN_FILE names, relative to the stack file as there, and its default.
 */
function tokensFor({ stack, controller, tokenFile }: HarnessOptions, host: Host): TokensFound {
  if (tokenFile !== undefined) {
    const path = resolve(host.cwd, tokenFile);
    return { places: [path], tokens: [readToken('--token-file', path)], isNeeded: true };
  }
  const kept = join(stateFolder(host.cwd), stack, 'api-token');
  const besideStackFile = (file: string): string => resolve(packageRoot(), 'swarm', file);
  const ofDocker = [host.env.API_TOKEN_FILE ?? '', 'secrets/api-token'].filter((file) => file !== '');
  // Another harness is not shown the tokens of a stack that it is no part of.
  const places = controller === undefined ? [kept, ...ofDocker.map(besideStackFile)] : [kept];
  const tokens = places.filter((path) => existsSync(path)).map((path) => readToken(path, path));
  return { places, tokens, isNeeded: controller === undefined };
}

/** @throws CliError TOKEN_MISSING, UNAUTHORIZED */
async function withGoodToken(
  { places, tokens, isNeeded }: TokensFound,
  connect: (token?: string) => HarnessApi,
  signal: AbortSignal,
): Promise<HarnessApi> {
  let refusal: unknown;
  for (const token of tokens) {
    const api = connect(token);
    try {
      await api.tryToken(signal);
      return api;
    } catch (error) {
      if (!(error instanceof CliError && error.code === 'UNAUTHORIZED')) throw error;
      refusal = error;
    }
  }
  if (refusal !== undefined) throw refusal;
  if (!isNeeded) return connect();
  throw new CliError({
    code: 'TOKEN_MISSING',
    message: `the API token of the stack is in none of the files ${places.join(', ')}`,
    hint: 'use --token-file to name the file that holds it, or run this where `swarmbench up` was run',
  });
}

/** @throws CliError USAGE */
function caOf({ controllerCa }: HarnessOptions, host: Host): { readonly ca?: string } {
  if (controllerCa === undefined) return {};
  try {
    return { ca: readFileSync(resolve(host.cwd, controllerCa), 'utf8') };
  } catch (error) {
    throw new CliError({
      code: 'USAGE',
      message: `--controller-ca: ${messageOf(error)}`,
      hint: 'name a PEM file with the certificate of the authority, or the certificate itself',
    });
  }
}

/** Deploys the stack as `swarmbench up` does, unless there is one. @throws CliError, StackError, EngineError */
async function ensureStack(
  { engine, name }: Stack,
  { withRegistryAuth, quiet, style }: HarnessOptions,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  if ((await engine.services.labelled(labelOf(name), signal)).length > 0) return;
  const loaded = loadStack({ stack: name, composeFile: [], envFile: [] }, host);
  const output = quiet ? { ...host.stderr, isTTY: false, write: () => undefined } : host.stderr;
  const display = createServicesDisplay(output, style, name);
  try {
    const { durationMs } = await bringUp(engine, loaded, { timeoutMs: UP_MS, withRegistryAuth }, display, host, signal);
    const down = `swarmbench down${name === DEFAULT_STACK ? '' : ` --stack ${name}`}`;
    display.note(`${name} came up in ${duration(durationMs)}; it stays up until \`${down}\``);
  } finally {
    display.close();
  }
}

const SERVICE = 'harness';
/** Where the harness listens with swarm/stack.tls.yml. */
const TLS_PORT = 8443;

/**
 * URL of the API of the stack's harness, at the node that runs it.
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE; CliError when it publishes no port or does not run
 */
async function findHarness(stack: Stack, signal: AbortSignal): Promise<string> {
  const { engine, name } = stack;
  const [service] = await findServices(stack, [SERVICE], signal);
  const ports = service?.Spec.EndpointSpec?.Ports ?? [];
  const published = ports.find(({ TargetPort }) => TargetPort === DEFAULT_PORT || TargetPort === TLS_PORT);
  const { PublishedPort: port, TargetPort: target } = published ?? { PublishedPort: 0, TargetPort: 0 };
  if (service === undefined || port === 0) {
    throw new CliError({
      code: 'HARNESS_NOT_PUBLISHED',
      message: `the harness of the stack ${name} publishes no port`,
      hint: 'use --controller to say where it can be reached',
    });
  }
  const tasks = await engine.tasks.upToDate([service.ID], signal);
  const task = tasks.find(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running');
  if (task === undefined) {
    throw new CliError({
      code: 'HARNESS_NOT_RUNNING',
      message: `the harness of the stack ${name} does not run`,
      hint: '`swarmbench status` and `swarmbench logs harness` show why',
      exitCode: exitCode.unreachable,
    });
  }
  const [info, nodes] = await Promise.all([engine.info(signal), engine.nodes.all(signal)]);
  const address =
    task.NodeID === info.Swarm.NodeID ? hostOf(engine) : nodes.find(({ ID }) => ID === task.NodeID)?.Status.Addr;
  return urlOf(target === TLS_PORT ? 'https' : 'http', address ?? '127.0.0.1', port);
}

/** The machine that the engine is on. */
function hostOf({ address }: Engine): string {
  return address.startsWith('unix:') || !URL.canParse(address) ? '127.0.0.1' : new URL(address).hostname || '127.0.0.1';
}

function urlOf(scheme: 'http' | 'https', address: string, port: number): string {
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
