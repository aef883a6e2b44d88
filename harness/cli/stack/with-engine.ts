import { connectEngine, type Engine } from '../../platform/swarm/engine/engine.js';
import type { Host } from '../host.js';
import { asCliError, errorJson, isSwarmError } from './swarm-errors.js';

interface WithEngineOptions {
  /** For the hint that says how to remove what is left; undefined for commands that leave nothing. */
  readonly stack?: string;
  readonly json: boolean;
}

/** Runs a command with the engine that DOCKER_HOST names. The first interrupt aborts it. @throws CliError */
export async function withEngine(
  host: Host,
  { stack, json }: WithEngineOptions,
  run: (engine: Engine, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interrupted = new AbortController();
  const ignore = host.onInterrupt((signal) => interrupted.abort(new Error(signal)));
  try {
    return await run(connectEngine(host.env), interrupted.signal);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    if (json) host.stdout.write(`${JSON.stringify(errorJson(error), undefined, 2)}\n`);
    throw asCliError(error, stack);
  } finally {
    ignore();
  }
}
