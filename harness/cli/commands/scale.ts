import type { Engine } from '../../platform/swarm/engine/engine.js';
import { scaleServices } from '../../platform/swarm/stack/scale-services.js';
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
    command.argument(
      '<service=replicas...>',
      'services as the stack file names them, and how many replicas each is to have',
    );
    addTimeout(addStackOptions(command), 120, 'how long it may take until all of them run').action(
      async (pairs: readonly string[], options: Options) => {
        const replicas = replicasOf(pairs);
        finish(
          await withEngine(host, { json: options.json === true }, (engine, signal) =>
            setReplicas(engine, replicas, options, host, signal),
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
        message: `"${pair}" is not SERVICE=REPLICAS`,
        hint: 'swarmbench scale mcp-server=8',
      });
    }),
  );
}

async function setReplicas(
  engine: Engine,
  replicas: Readonly<Record<string, number>>,
  { stack, timeout, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  const display = createServicesDisplay(host.stderr, styleFor(host.stderr, host.env, color), stack);
  try {
    const services = await scaleServices(engine, stack, replicas, { timeoutMs: timeout * 1000 }, display.show, signal);
    display.close();
    const durationMs = performance.now() - began;
    if (json === true) host.stdout.write(`${JSON.stringify({ stack, services, durationMs }, undefined, 2)}\n`);
    else
      host.stdout.write(
        `${services.map((service) => serviceLine(service, stack)).join('\n')}\nin ${duration(durationMs)}\n`,
      );
    return exitCode.passed;
  } finally {
    display.close();
  }
}
