import { Option } from 'commander';
import { STICKINESS, type Stickiness } from '../../../swarm/gateway/render-gateway.js';
import type { Engine } from '../../platform/swarm/engine/engine.js';
import type { Deployed } from '../../platform/swarm/stack/deploy-stack.js';
import { shortName } from '../../platform/swarm/stack/stack-objects.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues } from '../options/option-parsers.js';
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
  readonly observe?: boolean;
  readonly withRegistryAuth?: boolean;
  readonly timeout: number;
}

export const up: CliCommand = {
  examples: [
    'swarmbench images && swarmbench up',
    'swarmbench up --sticky none                          the gateway sends each request to any replica',
    'MCP_SERVER_REPLICAS=8 GATEWAY_PORT=8080 swarmbench up',
    'swarmbench up -c my-stack.yml --stack mine           deploy a compose file, as docker stack deploy does',
  ],
  declare(command, host, finish) {
    command
      .option(
        '-c, --compose-file <file>',
        'deploy this compose file instead of swarm/stack.yml; later files override earlier ones (repeatable)',
        collectValues,
        [],
      )
      .option(
        '--env-file <file>',
        'read NAME=value lines for the ${NAME} variables of the files; the environment overrides them (repeatable)',
        collectValues,
        [],
      )
      .option(
        '--observe',
        'publish Grafana, Prometheus, Alertmanager and the statistics of the gateway, which have no access control',
      )
      .addOption(
        new Option(
          '--sticky <how>',
          'how the gateway keeps the requests of a session at one replica (default: session)',
        ).choices(STICKINESS),
      );
    addTimeout(addStackOptions(addRegistryAuth(command)), 180, 'how long to wait until all services run').action(
      async (options: Options) => {
        const { stack, json = false } = options;
        const loaded = loadStack(options, host);
        finish(
          await withEngine(host, { stack, json }, (engine, signal) => deploy(engine, loaded, options, host, signal)),
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
    const options = { timeoutMs: timeout * 1000, withRegistryAuth };
    const deployed = await bringUp(engine, loaded, options, display, host, signal);
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
  const totals = `${services.length} services, ${tasks} tasks, in ${duration(durationMs)} (${counts.join(', ')})`;
  return `${stack} is up: ${totals}\n${ports.join('')}`;
}
