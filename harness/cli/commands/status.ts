import type { Engine } from '../../platform/swarm/engine/engine.js';
import { StackError } from '../../platform/swarm/stack/stack-error.js';
import { shortName } from '../../platform/swarm/stack/stack-objects.js';
import {
  type ServiceStatus,
  type StackStatus,
  stackNames,
  stackStatus,
} from '../../platform/swarm/stack/stack-status.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { serviceRows } from '../stack/services-display.js';
import { addStackOptions, type StackOptions } from '../stack/stack-options.js';
import { withEngine } from '../stack/with-engine.js';
import { type Style, styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options extends StackOptions {
  readonly tasks?: boolean;
}

export const status: CliCommand = {
  examples: [
    'swarmbench status',
    'swarmbench status --tasks           where each replica runs',
    'swarmbench status --json',
    'swarmbench status || swarmbench up   exit code 0: all services as wanted; 4: not; 2: no such stack',
  ],
  declare(command, host, finish) {
    command.option('--tasks', 'each task: node, state, image');
    addStackOptions(command).action(async (options: Options) => {
      finish(
        await withEngine(host, { json: options.json === true }, (engine, signal) =>
          tell(engine, options, host, signal),
        ),
      );
    });
  },
};

async function tell(
  engine: Engine,
  { stack, tasks = false, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const found = await stackStatus(engine, stack, signal);
  if (found.services.length === 0) throw await noStack(engine, found, signal);
  if (json === true) host.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  else {
    const style = styleFor(host.stdout, host.env, color);
    const lines = serviceRows(found.services, stack, style).flatMap((row, index) => [
      row,
      ...(tasks ? taskRows(found.services[index]) : []),
    ]);
    host.stdout.write(`${[title(found, style), ...lines].join('\n')}\n`);
  }
  return found.services.every(({ state }) => state === 'running') ? exitCode.passed : exitCode.untrusted;
}

function title({ stack, services, networks, configs, secrets, volumes }: StackStatus, style: Style): string {
  const ports = services.flatMap(({ name, ports: published, wanted }) =>
    published.length === 0 || wanted === 0
      ? []
      : [`${shortName(name, stack)} ${published.map((port) => port.split(':')[0]).join(' ')}`],
  );
  const counts = `${services.length} services, ${networks.length} networks, ${configs.length} configs, ${secrets.length} secrets, ${volumes.length} volumes here`;
  return `${style.bold(stack)}  ${counts}${ports.length === 0 ? '' : `\n  ports: ${ports.join(', ')}`}`;
}

function taskRows(service: ServiceStatus | undefined): readonly string[] {
  return table(
    (service?.tasks ?? []).map(({ id, slot, node, state, since, error }) => [
      `      ${slot === 0 ? '' : slot}`,
      node,
      state,
      `since ${since.slice(0, 19)}Z`,
      id.slice(0, 12),
      error ?? '',
    ]),
  );
}

async function noStack(
  engine: Engine,
  { stack, networks, configs, secrets, volumes }: StackStatus,
  signal: AbortSignal,
): Promise<StackError> {
  const rest = [
    ...networks.map((name) => `network ${name}`),
    ...configs.map((name) => `config ${name}`),
    ...secrets.map((name) => `secret ${name}`),
    ...volumes.map((name) => `volume ${name}`),
  ];
  const others = await stackNames(engine, signal);
  const hint =
    others.length === 0
      ? '`swarmbench up` deploys it'
      : `\`swarmbench up\` deploys it; this swarm has ${others.join(', ')} (--stack)`;
  return new StackError(
    'UNKNOWN_STACK',
    `there is no stack ${stack} in this swarm${rest.length === 0 ? '' : `, but ${rest.join(', ')} of it`}`,
    hint,
  );
}
