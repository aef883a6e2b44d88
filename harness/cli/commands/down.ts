import type { Engine } from '../../platform/swarm/engine/engine.js';
import { type Remaining, removeStack } from '../../platform/swarm/stack/remove-stack.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { createServicesDisplay } from '../stack/services-display.js';
import { addStackOptions, addTimeout, type StackOptions } from '../stack/stack-options.js';
import { withEngine } from '../stack/with-engine.js';
import { duration } from '../terminal/quantity.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends StackOptions {
  readonly volumes?: boolean;
  readonly timeout: number;
}

export const down: CliCommand = {
  examples: [
    'swarmbench down',
    'swarmbench down --volumes          results and Prometheus data of this node go too',
    'swarmbench down --stack mine --json',
  ],
  declare(command, host, finish) {
    command.option('--volumes', 'also the volumes that the stack has on this node');
    addTimeout(addStackOptions(command), 60, 'how long it may take until nothing is left').action(
      async (options: Options) => {
        finish(
          await withEngine(host, { stack: options.stack, json: options.json === true }, (engine, signal) =>
            takeDown(engine, options, host, signal),
          ),
        );
      },
    );
  },
};

async function takeDown(
  engine: Engine,
  { stack, volumes = false, timeout, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const display = createServicesDisplay(host.stderr, styleFor(host.stderr, host.env, color), stack);
  try {
    const result = await removeStack(
      engine,
      stack,
      { volumes, timeoutMs: timeout * 1000 },
      (remaining) => display.doing(remainingText(remaining)),
      signal,
    );
    display.close();
    const { removed, keptVolumes, durationMs } = result;
    const kept = keptVolumes.length === 0 ? '' : `  volumes stay: ${keptVolumes.join(', ')} (--volumes removes them)\n`;
    const words =
      removed.length === 0
        ? `there is no stack ${stack}\n`
        : `${stack} is gone: ${removed.length} objects in ${duration(durationMs)}\n`;
    host.stdout.write(json === true ? `${JSON.stringify({ stack, ...result }, undefined, 2)}\n` : `${words}${kept}`);
    return exitCode.passed;
  } finally {
    display.close();
  }
}

function remainingText(remaining: Remaining): string {
  const left = Object.entries(remaining)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return left.length === 0 ? 'nothing is left' : `removing ${left.join(', ')}`;
}
