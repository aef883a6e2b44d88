/** Options that the commands about a stack share. */
import type { Command } from 'commander';
import { DEFAULT_STACK } from '../defaults.js';
import { parseSeconds } from '../options/option-parsers.js';

export interface StackOptions {
  readonly stack: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export function addStackOptions(command: Command, json = 'print one JSON object on stdout'): Command {
  return command.option('--stack <name>', 'name of the stack', DEFAULT_STACK).option('--json', json);
}

export function addRegistryAuth(command: Command): Command {
  return command.option(
    '--with-registry-auth',
    'send the logins of `docker login` to the nodes, so that they can pull (as docker stack deploy does)',
  );
}

export function addTimeout(command: Command, defaultSeconds: number, description: string): Command {
  return command.option('--timeout <seconds>', description, parseSeconds, defaultSeconds);
}
