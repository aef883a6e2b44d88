import { StackError } from '../../platform/swarm/stack/stack-error.js';
import { type Stack, shortName } from '../../platform/swarm/stack/stack-objects.js';
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
    'swarmbench status --tasks            show where each replica runs',
    'swarmbench status --json',
    'swarmbench status || swarmbench up   exit code 0: all services run; 4: some do not; 2: there is no such stack',
  ],
  declare(command, host, finish) {
    command.option('--tasks', 'also show the tasks of each service: node, state, errors');
    addStackOptions(command).action(async (options: Options) => {
      const { stack: name, json = false } = options;
      finish(await withEngine(host, { json }, (engine, signal) => showStatus({ engine, name }, options, host, signal)));
    });
  },
};

async function showStatus(
  stack: Stack,
  { tasks = false, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const found = await stackStatus(stack, signal);
  if (found.services.length === 0) throw await noStack(stack, found, signal);
  if (json === true) {
    host.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  } else {
    const style = styleFor(host.stdout, host.env, color);
    const lines = serviceRows(found.services, stack.name, style).flatMap((row, index) => [
      row,
      ...(tasks ? taskRows(found.services[index]) : []),
    ]);
    host.stdout.write(`${[title(found, style), ...lines].join('\n')}\n`);
  }
  return found.services.every(({ state }) => state === 'running') ? exitCode.passed : exitCode.untrusted;
}

function title({ stack, services, networks, configs, secrets, volumes }: StackStatus, style: Style): string {
  const counts = [
    `${services.length} services`,
    `${networks.length} networks`,
    `${configs.length} configs`,
    `${secrets.length} secrets`,
    `${volumes.length} volumes on this node`,
  ];
  const ports = services.flatMap(({ name, ports: published, wanted }) =>
    published.length === 0 || wanted === 0
      ? []
      : [`${shortName(name, stack)} ${published.map((port) => port.split(':')[0]).join(' ')}`],
  );
  const lines = [`${style.bold(stack)}  ${counts.join(', ')}`];
  if (ports.length > 0) lines.push(`  ports: ${ports.join(', ')}`);
  return lines.join('\n');
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
  { engine, name }: Stack,
  { networks, configs, secrets, volumes }: StackStatus,
  signal: AbortSignal,
): Promise<StackError> {
  const remains = [
    ...networks.map((network) => `network ${network}`),
    ...configs.map((config) => `config ${config}`),
    ...secrets.map((secret) => `secret ${secret}`),
    ...volumes.map((volume) => `volume ${volume}`),
  ];
  const others = await stackNames(engine, signal);
  const left = remains.length === 0 ? '' : `, but an earlier one has left ${remains.join(', ')}`;
  const choice = others.length === 0 ? '' : `; this swarm has ${others.join(', ')}: choose one with --stack`;
  return new StackError(
    'UNKNOWN_STACK',
    `there is no stack ${name} in this swarm${left}`,
    `\`swarmbench up\` deploys it${choice}`,
  );
}
