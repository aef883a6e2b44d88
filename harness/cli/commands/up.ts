import { Option } from 'commander';

import type { Engine } from '../../platform/swarm/engine/engine.js';
import { preflight } from '../../platform/swarm/preflight/preflight.js';
import { deployStack, type Deployed, type DeployProgress } from '../../platform/swarm/stack/deploy-stack.js';
import { shortName } from '../../platform/swarm/stack/find-service.js';
import { STICKINESS, type Stickiness } from '../../../swarm/gateway/render-gateway.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { loadStack, type LoadedStack } from '../swarm/load-stack.js';
import { onEngine } from '../swarm/on-engine.js';
import { refuseProblems } from '../swarm/refuse-problems.js';
import { createServicesDisplay, type ServicesDisplay } from '../swarm/services-display.js';
import { addStackOptions, addTimeout, type StackOptions } from '../swarm/stack-options.js';
import { duration } from '../terminal/quantity.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';
import { collect } from './load-options.js';

interface Options extends StackOptions {
  readonly composeFile: readonly string[];
  readonly envFile: readonly string[];
  readonly sticky?: Stickiness;
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
      .option('-c, --compose-file <file>', 'compose file instead of swarm/stack.yml; later ones are merged onto earlier ones (repeatable)', collect, [])
      .option('--env-file <file>', 'NAME=value lines for ${NAME} in the files; the environment wins (repeatable)', collect, [])
      .addOption(new Option('--sticky <how>', 'how the gateway keeps a session on its replica (default: session)').choices(STICKINESS));
    addTimeout(addStackOptions(command), 180, 'how long all services together may take')
      .action(async (options: Options) => {
        const loaded = loadStack({ ...options, stack: options.stack }, host);
        finish(await onEngine(host, { stack: options.stack, json: options.json === true }, (engine, signal) => bringUp(engine, loaded, options, host, signal)));
      });
  },
};

async function bringUp(engine: Engine, { spec, warnings }: LoadedStack, options: Options, host: Host, signal: AbortSignal): Promise<number> {
  const style = styleFor(host.stderr, host.env, options.color);
  const display = createServicesDisplay(host.stderr, style, options.stack);
  try {
    if (warnings !== '') display.note(`warning: ${warnings}`);
    display.doing('looking at the engine, ports and images');
    refuseProblems(await preflight(engine, spec, signal), display.note);
    display.doing('deploying');
    const wait = { timeoutMs: options.timeout * 1000 };
    const deployed = await deployStack(engine, spec, { ...wait, contentNames: true, prune: true, pinImages: true }, show(display), signal);
    display.close();
    host.stdout.write(options.json === true ? `${JSON.stringify({ stack: options.stack, ...deployed }, undefined, 2)}\n` : summary(deployed, spec.services, options.stack));
    return exitCode.passed;
  } finally {
    display.close();
  }
}

function show(display: ServicesDisplay): (progress: DeployProgress) => void {
  return (progress) => {
    if (progress.kind === 'services') display.show(progress.services);
    else if (progress.change.did !== 'unchanged') display.note(`${progress.change.did} ${progress.change.kind} ${progress.change.name}`);
  };
}

function summary({ changes, services, durationMs }: Deployed, specs: LoadedStack['spec']['services'], stack: string): string {
  const counts = (['created', 'updated', 'removed', 'unchanged'] as const)
    .map((did) => [changes.filter((change) => change.did === did).length, did] as const)
    .filter(([count]) => count > 0)
    .map(([count, did]) => `${count} ${did}`);
  const tasks = services.reduce((sum, { running }) => sum + running, 0);
  const ports = specs.flatMap(({ Name, EndpointSpec, Mode }) => {
    const published = (EndpointSpec.Ports ?? []).flatMap(({ PublishedPort = 0 }) => (PublishedPort === 0 || Mode.Replicated?.Replicas === 0 ? [] : [PublishedPort]));
    return published.length === 0 ? [] : [`  ${shortName(Name, stack)} publishes ${published.join(', ')}\n`];
  });
  return `${stack} is up: ${services.length} services, ${tasks} tasks, in ${duration(durationMs)} (${counts.join(', ')})\n${ports.join('')}`;
}
