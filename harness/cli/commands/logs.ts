import { type StackLogLine, stackLogs } from '../../platform/swarm/stack/stack-logs.js';
import type { Stack } from '../../platform/swarm/stack/stack-objects.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { parseTimeAgo, parseWholeNumber } from '../options/option-parsers.js';
import { addStackOptions, type StackOptions } from '../stack/stack-options.js';
import { withEngine } from '../stack/with-engine.js';
import { type Paint, type Style, styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends StackOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: number;
  readonly timestamps?: boolean;
}

export const logs: CliCommand = {
  examples: [
    'swarmbench logs mcp-server',
    'swarmbench logs -f --tail 10 harness gateway',
    'swarmbench logs --since 5m client-sim-normal --json',
  ],
  declare(command, host, finish) {
    command
      .argument('<service...>', 'names of services in the stack file')
      .option('-f, --follow', 'follow the logs until interrupted')
      .option('--tail <n>', 'show only the last lines of each task', parseWholeNumber)
      .option('--since <ago>', 'show only newer lines, e.g. 30s, 5m, 2h', parseTimeAgo)
      .option('-t, --timestamps', 'show when the engine read each line');
    addStackOptions(command, 'print one JSON object per line on stdout').action(
      async (services: readonly string[], options: Options) => {
        const { stack: name, json = false } = options;
        finish(
          await withEngine(host, { json }, (engine, signal) =>
            showLogs({ engine, name }, services, options, host, signal),
          ),
        );
      },
    );
  },
};

async function showLogs(
  stack: Stack,
  services: readonly string[],
  { follow = false, tail, since, timestamps = false, json, color }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const style = styleFor(host.stdout, host.env, color);
  const options = {
    follow,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { sinceS: since }),
  };
  const paints = paintsOf(services, style);
  for await (const line of stackLogs(stack, services, options, signal)) {
    host.stdout.write(
      json === true ? `${JSON.stringify(line)}\n` : lineOf(line, timestamps, paints.get(line.service) ?? style.dim),
    );
  }
  return signal.aborted && !follow ? exitCode.interrupted : exitCode.passed;
}

/** `mcp-server.2@node1 | listening`. */
function lineOf({ service, slot, node, at, text }: StackLogLine, timestamps: boolean, paint: Paint): string {
  const task = slot === 0 ? service : `${service}.${slot}`;
  return `${paint(`${task}@${node} |`)} ${timestamps ? `${at} ` : ''}${text}\n`;
}

function paintsOf(services: readonly string[], { cyan, yellow, green, bold }: Style): ReadonlyMap<string, Paint> {
  const paints = [cyan, yellow, green, bold];
  return new Map(services.map((service, index) => [service, paints[index % paints.length] ?? bold]));
}
