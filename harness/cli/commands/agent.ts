import Docker from 'dockerode';
import { runAgent } from '../../agent/agent.js';
import { TOOLS_IMAGE } from '../../agent/node-faults.js';
import { engineAddress } from '../../platform/swarm/engine/address.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { parseNumber } from '../options/option-parsers.js';
import { readToken } from '../read-token.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string;
  readonly stack?: string;
  readonly node?: string;
  readonly toolsImage: string;
}

export const agent: CliCommand = {
  examples: [
    'swarmbench agent --token-file /run/secrets/api_token',
    'swarmbench agent --host 0.0.0.0 --stack bench --token-file token',
  ],
  declare(command, host, finish) {
    command
      .requiredOption('--token-file <file>', 'file with the token that callers need, except for metrics and health')
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .option('--port <n>', 'port to listen on; 0 chooses a free one', parseNumber, 9417)
      .option('--stack <name>', 'watch only the tasks of this stack (default: the tasks of all stacks)')
      .option('--node <name>', 'name of this node (default: the name that its engine reports)')
      .option('--tools-image <image>', 'image with sh, ip, nft and tc, in which network faults are made', TOOLS_IMAGE)
      .action(async (options: Options) => {
        await serveUntilInterrupted(options, host);
        finish(exitCode.passed);
      });
  },
};

async function serveUntilInterrupted(
  { tokenFile, stack, node, toolsImage, ...listen }: Options,
  host: Host,
): Promise<void> {
  const stop = new AbortController();
  const ignore = host.onInterrupt(() => stop.abort());
  try {
    await runAgent(
      {
        docker: new Docker(engineAddress(host.env).options),
        ...listen,
        token: readToken('--token-file', tokenFile),
        stack,
        node,
        toolsImage,
        log: (line) => host.stderr.write(`agent: ${line}\n`),
      },
      stop.signal,
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError({
      code: 'AGENT',
      message: `the agent cannot serve: ${messageOf(error)}`,
      hint: "it needs a free port and access to this node's engine: its socket, or DOCKER_HOST",
      exitCode: exitCode.unreachable,
    });
  } finally {
    ignore();
  }
}
