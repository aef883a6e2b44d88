import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectEngine, type Engine } from '../../platform/swarm/engine/engine.js';
import { findServices, labelOf } from '../../platform/swarm/stack/stack-objects.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { readToken } from '../read-token.js';
import { bringUp } from '../stack/bring-up.js';
import { loadStack } from '../stack/load-stack.js';
import { createServicesDisplay } from '../stack/services-display.js';
import { stateFolder } from '../stack/state-folder.js';
import { asCliError, isSwarmError } from '../stack/swarm-errors.js';
import { duration } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';
import { HarnessApi } from './harness-api.js';

/** From the command line to the API of a harness that takes runs. */

export interface HarnessOptions {
  readonly stack: string;
  /** URL of its API; then no engine is asked, and nothing is deployed. */
  readonly controller: string | undefined;
  readonly tokenFile: string | undefined;
  /** For a stack that is deployed. */
  readonly withRegistryAuth: boolean;
  readonly quiet: boolean;
  /** Of stderr. */
  readonly style: Style;
}

/** A harness of a stack may have been replaced just now; one that is somewhere is there, or is not. */
const STARTING_MS = 30_000;
const BUSY_MS = 3_000;

/** An interrupt before it is there ends it. @throws CliError */
export async function connectHarness(options: HarnessOptions, host: Host): Promise<HarnessApi> {
  const interrupted = new AbortController();
  const ignore = host.onInterrupt((signal) => interrupted.abort(new Error(signal)));
  try {
    const url =
      options.controller === undefined
        ? await harnessOfStack(options, host, interrupted.signal)
        : originOf(options.controller);
    const api = new HarnessApi({ url, token: tokenOf(options, host) });
    await api.waitUntilReady(options.controller === undefined ? STARTING_MS : BUSY_MS, interrupted.signal);
    return api;
  } catch (error) {
    if (isSwarmError(error)) throw asCliError(error, options.stack);
    throw error;
  } finally {
    ignore();
  }
}

async function harnessOfStack(options: HarnessOptions, host: Host, signal: AbortSignal): Promise<string> {
  const engine = connectEngine(host.env);
  await ensureStack(engine, options, host, signal);
  return await findHarness(engine, options.stack, signal);
}

function originOf(controller: string): string {
  if (URL.canParse(controller)) return new URL(controller).origin;
  throw new CliError({
    code: 'USAGE',
    message: `--controller: \`${controller}\` is not a URL`,
    hint: 'write it like http://10.0.0.5:8888',
  });
}

/** What `up` keeps beside the stack's other files; a harness on loopback needs none. */
function tokenOf({ stack, controller, tokenFile }: HarnessOptions, host: Host): string | undefined {
  if (tokenFile !== undefined) return readToken('--token-file', resolve(host.cwd, tokenFile));
  const kept = join(stateFolder(host.cwd), stack, 'api-token');
  if (existsSync(kept)) return readToken(kept, kept);
  if (controller !== undefined) return undefined;
  throw new CliError({
    code: 'TOKEN_MISSING',
    message: `the stack ${stack} was deployed from another folder: its API token is not in ${kept}`,
    hint: '--token-file names the file that has it; or run this where `swarmbench up` was run',
  });
}

/** A stack that is there, deployed when it was not. */

const UP_MS = 180_000;

export interface EnsureOptions {
  readonly stack: string;
  readonly withRegistryAuth: boolean;
  readonly quiet: boolean;
  /** Of stderr. */
  readonly style: Style;
}

/**
 * As `swarmbench up` does it; a stack of this name that is there already is left as it is. @throws CliError,
 * StackError, EngineError
 */
export async function ensureStack(
  engine: Engine,
  { stack, withRegistryAuth, quiet, style }: EnsureOptions,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  if ((await engine.services.labelled(labelOf(stack), signal)).length > 0) return;
  const loaded = loadStack({ stack, composeFile: [], envFile: [] }, host);
  const display = createServicesDisplay(
    quiet ? { ...host.stderr, isTTY: false, write: () => undefined } : host.stderr,
    style,
    stack,
  );
  try {
    const { durationMs } = await bringUp(engine, loaded, { timeoutMs: UP_MS, withRegistryAuth }, display, host, signal);
    display.note(
      `${stack} is up, in ${duration(durationMs)}; it stays until \`swarmbench down${stack === 'bench' ? '' : ` --stack ${stack}`}\``,
    );
  } finally {
    display.close();
  }
}

/** Where the harness service of a stack can be reached from here. */

const SERVICE = 'harness';
const API_PORT = 8888;

/**
 * URL of its API, on the node that runs it.
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE; CliError when its port is not published or it does not run
 */
export async function findHarness(engine: Engine, stack: string, signal: AbortSignal): Promise<string> {
  const [service] = await findServices(engine, stack, [SERVICE], signal);
  const port = service?.Spec.EndpointSpec?.Ports.find(({ TargetPort }) => TargetPort === API_PORT)?.PublishedPort;
  if (service === undefined || port === undefined || port === 0) {
    throw new CliError({
      code: 'HARNESS_NOT_PUBLISHED',
      message: `the harness of the stack ${stack} publishes no port`,
      hint: '--controller says where it can be reached',
    });
  }
  const tasks = await engine.tasks.upToDate([service.ID], signal);
  const task = tasks.find(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running');
  if (task === undefined) {
    throw new CliError({
      code: 'HARNESS_NOT_RUNNING',
      message: `the harness of the stack ${stack} does not run`,
      hint: '`swarmbench status` and `swarmbench logs harness` say why',
      exitCode: exitCode.unreachable,
    });
  }
  const [info, nodes] = await Promise.all([engine.info(signal), engine.nodes.all(signal)]);
  const address =
    task.NodeID === info.Swarm.NodeID
      ? engineHost(engine.address)
      : (nodes.find(({ ID }) => ID === task.NodeID)?.Status.Addr ?? '127.0.0.1');
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The machine of the engine that we speak to. */
function engineHost(address: string): string {
  return address.startsWith('unix:') || !URL.canParse(address) ? '127.0.0.1' : new URL(address).hostname || '127.0.0.1';
}
