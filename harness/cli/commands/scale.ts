import { scaleServices } from '../../platform/swarm/stack/scale-services.js';
import type { Stack } from '../../platform/swarm/stack/stack-objects.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { createServicesDisplay, serviceLine } from '../stack/services-display.js';
import { addStackOptions, addTimeout, type StackOptions } from '../stack/stack-options.js';
import { withEngine } from '../stack/with-engine.js';
import { duration } from '../terminal/quantity.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends StackOptions {
  readonly timeout: number;
}

export const scale: CliCommand = {
  examples: ['swarmbench scale mcp-server=8', 'swarmbench scale mcp-server=2 client-sim-normal=0'],
  declare(command, host, finish) {
    command.argument('<service=replicas...>', 'names of services in the stack file, each with its number of replicas');
    addTimeout(addStackOptions(command), 120, 'how long to wait until all of them run').action(
      async (pairs: readonly string[], options: Options) => {
        const replicas = replicasOf(pairs);
        const { stack: name, json = false } = options;
        finish(
          await withEngine(host, { json }, (engine, signal) =>
            setReplicas({ engine, name }, replicas, options, host, signal),
          ),
        );
      },
    );
  },
};

function replicasOf(pairs: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, service, count] = /^([^=]+)=(\d{1,6})$/.exec(pair) ?? [];
      if (service !== undefined && count !== undefined) return [service, Number(count)];
      throw new CliError({
        code: 'USAGE',
        message: `\`${pair}\` is not SERVICE=REPLICAS`,
        hint: 'write it like mcp-server=8',
      });
    }),
  );
}

async function setReplicas(
  stack: Stack,
  replicas: Readonly<Record<string, number>>,
  { timeout, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const { name } = stack;
  const began = performance.now();
  const display = createServicesDisplay(host.stderr, styleFor(host.stderr, host.env, color), name);
  try {
    const services = await scaleServices(stack, replicas, { timeoutMs: timeout * 1000 }, display.show, signal);
    display.close();
    const durationMs = performance.now() - began;
    if (json === true) {
      host.stdout.write(`${JSON.stringify({ stack: name, services, durationMs }, undefined, 2)}\n`);
    } else {
      const lines = services.map((service) => serviceLine(service, name));
      host.stdout.write(`${lines.join('\n')}\ndone in ${duration(durationMs)}\n`);
    }
    return exitCode.passed;
  } finally {
    display.close();
  }
}
