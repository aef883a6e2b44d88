import { type Remaining, removeStack } from '../../platform/swarm/stack/remove-stack.js';
import type { Stack } from '../../platform/swarm/stack/stack-objects.js';
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
    'swarmbench down --volumes          also remove the results and Prometheus data on this node',
    'swarmbench down --stack mine --json',
  ],
  declare(command, host, finish) {
    command.option('--volumes', "also remove the stack's volumes on this node");
    addTimeout(addStackOptions(command), 60, 'how long to wait until nothing is left').action(
      async (options: Options) => {
        const { stack: name, json = false } = options;
        finish(
          await withEngine(host, { stack: name, json }, (engine, signal) =>
            takeDown({ engine, name }, options, host, signal),
          ),
        );
      },
    );
  },
};

async function takeDown(
  stack: Stack,
  { volumes = false, timeout, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const { name } = stack;
  const display = createServicesDisplay(host.stderr, styleFor(host.stderr, host.env, color), name);
  try {
    const result = await removeStack(
      stack,
      { volumes, timeoutMs: timeout * 1000 },
      (remaining) => display.doing(remainingText(remaining)),
      signal,
    );
    display.close();
    const { removed, keptVolumes, durationMs } = result;
    const summary =
      removed.length === 0
        ? `there is no stack ${name}\n`
        : `removed ${name}: ${removed.length} objects in ${duration(durationMs)}\n`;
    const kept = keptVolumes.length === 0 ? '' : `  kept volumes: ${keptVolumes.join(', ')} (--volumes removes them)\n`;
    host.stdout.write(
      json === true ? `${JSON.stringify({ stack: name, ...result }, undefined, 2)}\n` : `${summary}${kept}`,
    );
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
