import type { Command } from 'commander';
import type { Host } from '../host.js';

/** One command of `swarmbench`: one file here and one entry in `commands.ts`. */
export interface CliCommand {
  readonly examples: readonly string[];
  /** Whether the command of a server may stand behind `--`. */
  readonly takesCommand?: true;
  /** Adds the options and the action, which must call `finish` with the exit code or throw. */
  declare(command: Command, host: Host, finish: (code: number) => void): void;
}
