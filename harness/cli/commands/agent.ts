import Docker from 'dockerode';

import { runAgent } from '../../agent/agent.js';
import { engineAddress } from '../../platform/swarm/engine/address.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { parseNumber } from '../load-options.js';
import { readToken } from '../read-token.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string;
  readonly stack?: string;
  readonly node?: string;
}

export const agent: CliCommand = {
  examples: [
    'swarmbench agent --token-file /run/secrets/api_token',
    'swarmbench agent --host 0.0.0.0 --stack bench --token-file token',
  ],
  declare(command, host, finish) {
    command
      .requiredOption('--token-file <file>', 'token for everything but metrics and health')
      .option('--host <address>', 'where to listen', '127.0.0.1')
      .option('--port <n>', 'port to listen on; 0: any free one', parseNumber, 9417)
      .option('--stack <name>', 'only tasks of this stack (default: of all)')
      .option('--node <name>', "this node's name (default: what its engine says)")
      .action(async (options: Options) => {
        await serveUntilInterrupted(options, host);
        finish(exitCode.passed);
      });
  },
};

async function serveUntilInterrupted({ tokenFile, stack, node, ...listen }: Options, host: Host): Promise<void> {
  const stop = new AbortController();
  const ignore = host.onInterrupt(() => stop.abort());
  const log = (line: string): void => host.stderr.write(`agent: ${line}\n`);
  try {
    await runAgent(
      {
        docker: new Docker(engineAddress(host.env).options),
        ...listen,
        token: readToken('--token-file', tokenFile),
        stack,
        node,
        log,
      },
      stop.signal,
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError({
      code: 'AGENT',
      message: `the agent cannot serve: ${error instanceof Error ? error.message : String(error)}`,
      hint: "it needs the socket of this node's engine (or DOCKER_HOST) and a free port",
      exitCode: exitCode.unreachable,
    });
  } finally {
    ignore();
  }
}
