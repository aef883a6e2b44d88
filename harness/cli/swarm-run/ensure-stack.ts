/** A stack that is there, deployed when it was not. */
import type { Engine } from '../../platform/swarm/engine/engine.js';
import { labelOf } from '../../platform/swarm/stack/stack-objects.js';
import type { Host } from '../host.js';
import { bringUp } from '../swarm/bring-up.js';
import { loadStack } from '../swarm/load-stack.js';
import { createServicesDisplay } from '../swarm/services-display.js';
import { duration } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';

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
