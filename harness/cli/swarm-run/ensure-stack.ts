/** A stack that is there, deployed when it was not. */
import type { Engine } from '../../platform/swarm/engine/engine.js';
import { preflight } from '../../platform/swarm/preflight/preflight.js';
import { deployStack } from '../../platform/swarm/stack/deploy-stack.js';
import { labelOf } from '../../platform/swarm/stack/stack-objects.js';
import type { Host } from '../host.js';
import { loadStack } from '../swarm/load-stack.js';
import { refuseProblems } from '../swarm/refuse-problems.js';
import { createServicesDisplay } from '../swarm/services-display.js';
import { duration } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';

const UP_MS = 180_000;

export interface EnsureOptions {
  readonly stack: string;
  readonly quiet: boolean;
  /** Of stderr. */
  readonly style: Style;
}

/** As `swarmbench up` does it; a stack of this name that is there already is left as it is. @throws CliError, StackError, EngineError */
export async function ensureStack(engine: Engine, { stack, quiet, style }: EnsureOptions, host: Host, signal: AbortSignal): Promise<void> {
  if ((await engine.services.labelled(labelOf(stack), signal)).length > 0) return;
  const { spec, warnings } = loadStack({ stack, composeFile: [], envFile: [] }, host);
  const display = createServicesDisplay(quiet ? { ...host.stderr, isTTY: false, write: () => undefined } : host.stderr, style, stack);
  try {
    if (warnings !== '') display.note(`warning: ${warnings}`);
    display.doing('is not there: looking at the engine, ports and images');
    refuseProblems(await preflight(engine, spec, signal), display.note);
    display.doing('deploying');
    const { durationMs } = await deployStack(engine, spec, { timeoutMs: UP_MS, contentNames: true, prune: true, pinImages: true }, (progress) => {
      if (progress.kind === 'services') display.show(progress.services);
    }, signal);
    display.note(`${stack} is up, in ${duration(durationMs)}; it stays until \`swarmbench down${stack === 'bench' ? '' : ` --stack ${stack}`}\``);
  } finally {
    display.close();
  }
}
