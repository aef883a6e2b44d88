/** From the command line to the API of a harness that takes runs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { connectEngine } from '../../platform/swarm/engine/engine.js';
import { CliError } from '../cli-error.js';
import type { Host } from '../host.js';
import { asCliError, isTold } from '../swarm/stack-errors.js';
import { stateFolder } from '../swarm/state-folder.js';
import type { Style } from '../terminal/style.js';
import { readToken } from '../token-file.js';
import { ensureStack } from './ensure-stack.js';
import { findHarness } from './find-harness.js';
import { HarnessApi } from './harness-api.js';

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
    if (isTold(error)) throw asCliError(error, options.stack);
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
