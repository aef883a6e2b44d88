import { Option } from 'commander';
import { STICKINESS, type Stickiness } from '../../../swarm/gateway/render-gateway.js';
import type { Engine } from '../../platform/swarm/engine/engine.js';
import type { Deployed } from '../../platform/swarm/stack/deploy-stack.js';
import { shortName } from '../../platform/swarm/stack/stack-objects.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues } from '../load-options.js';
import { bringUp } from '../stack/bring-up.js';
import { type LoadedStack, loadStack } from '../stack/load-stack.js';
import { createServicesDisplay } from '../stack/services-display.js';
import { addRegistryAuth, addStackOptions, addTimeout, type StackOptions } from '../stack/stack-options.js';
import { withEngine } from '../stack/with-engine.js';
import { duration } from '../terminal/quantity.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends StackOptions {
  readonly composeFile: readonly string[];
  readonly envFile: readonly string[];
  readonly sticky?: Stickiness;
  readonly withRegistryAuth?: boolean;
  readonly timeout: number;
}

export const up: CliCommand = {
  examples: [
    'swarmbench images && swarmbench up',
    'swarmbench up --sticky none                          the gateway forgets sessions',
    'MCP_SERVER_REPLICAS=8 GATEWAY_PORT=8080 swarmbench up',
    'swarmbench up -c my-stack.yml --stack mine           any compose file, as docker stack deploy takes it',
  ],
  declare(command, host, finish) {
    command
      .option(
        '-c, --compose-file <file>',
        'compose file instead of swarm/stack.yml; later ones are merged onto earlier ones (repeatable)',
        collectValues,
        [],
      )
      .option(
        '--env-file <file>',
        'NAME=value lines for ${NAME} in the files; the environment wins (repeatable)',
        collectValues,
        [],
      )
      .addOption(
        new Option('--sticky <how>', 'how the gateway keeps a session on its replica (default: session)').choices(
          STICKINESS,
        ),
      );
    addTimeout(addStackOptions(addRegistryAuth(command)), 180, 'how long all services together may take').action(
      async (options: Options) => {
        const loaded = loadStack({ ...options, stack: options.stack }, host);
        finish(
          await withEngine(host, { stack: options.stack, json: options.json === true }, (engine, signal) =>
            deploy(engine, loaded, options, host, signal),
          ),
        );
      },
    );
  },
};

async function deploy(
  engine: Engine,
  loaded: LoadedStack,
  { stack, timeout, withRegistryAuth = false, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const display = createServicesDisplay(host.stderr, styleFor(host.stderr, host.env, color), stack);
  try {
    const deployed = await bringUp(
      engine,
      loaded,
      { timeoutMs: timeout * 1000, withRegistryAuth },
      display,
      host,
      signal,
    );
    display.close();
    host.stdout.write(
      json === true
        ? `${JSON.stringify({ stack, ...deployed }, undefined, 2)}\n`
        : summary(deployed, loaded.spec.services, stack),
    );
    return exitCode.passed;
  } finally {
    display.close();
  }
}

function summary(
  { changes, services, durationMs }: Deployed,
  specs: LoadedStack['spec']['services'],
  stack: string,
): string {
  const counts = (['created', 'updated', 'removed', 'unchanged'] as const)
    .map((did) => [changes.filter((change) => change.did === did).length, did] as const)
    .filter(([count]) => count > 0)
    .map(([count, did]) => `${count} ${did}`);
  const tasks = services.reduce((sum, { running }) => sum + running, 0);
  const ports = specs.flatMap(({ Name, EndpointSpec, Mode }) => {
    const published = (EndpointSpec.Ports ?? []).flatMap(({ PublishedPort = 0 }) =>
      PublishedPort === 0 || Mode.Replicated?.Replicas === 0 ? [] : [PublishedPort],
    );
    return published.length === 0 ? [] : [`  ${shortName(Name, stack)} publishes ${published.join(', ')}\n`];
  });
  return `${stack} is up: ${services.length} services, ${tasks} tasks, in ${duration(durationMs)} (${counts.join(', ')})\n${ports.join('')}`;
}
