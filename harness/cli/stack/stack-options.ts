/** Options that the commands about a stack share. */
import { type Command, InvalidArgumentError } from 'commander';

export const DEFAULT_STACK = 'bench';

export interface StackOptions {
  readonly stack: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export function addStackOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'name of the stack', DEFAULT_STACK)
    .option('--json', 'one JSON object on stdout');
}

export function addRegistryAuth(command: Command): Command {
  return command.option(
    '--with-registry-auth',
    'nodes pull with what `docker login` has left here, as with docker stack deploy',
  );
}

export function addTimeout(command: Command, defaultS: number, what: string): Command {
  return command.option('--timeout <seconds>', what, seconds, defaultS);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Not a number of seconds above 0.');
  return value;
}
