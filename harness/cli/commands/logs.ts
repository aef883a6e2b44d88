import { InvalidArgumentError } from 'commander';

import type { Engine } from '../../platform/swarm/engine/engine.js';
import { type StackLogLine, stackLogs } from '../../platform/swarm/stack/stack-logs.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { parseWholeNumber } from '../load-options.js';
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
      .argument('<service...>', 'services as the stack file names them')
      .option('-f, --follow', 'go on until interrupted')
      .option('--tail <n>', 'only the last lines of each task', parseWholeNumber)
      .option('--since <ago>', 'only what is newer: 30s, 5m, 2h', sinceOf)
      .option('-t, --timestamps', 'when the engine read each line');
    // One JSON object per line: a log has no end that could be waited for.
    addStackOptions(command).action(async (services: readonly string[], options: Options) => {
      finish(
        await withEngine(host, { json: options.json === true }, (engine, signal) =>
          write(engine, services, options, host, signal),
        ),
      );
    });
  },
};

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function sinceOf(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const unitS = UNIT_S[unit];
  if (count === undefined || unitS === undefined) throw new InvalidArgumentError('Not a time like 30s, 5m or 2h.');
  return Math.floor(Date.now() / 1000) - Number(count) * unitS;
}

async function write(
  engine: Engine,
  services: readonly string[],
  { stack, follow = false, tail, since, timestamps = false, json, color }: Options,
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
  for await (const line of stackLogs(engine, stack, services, options, signal)) {
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
