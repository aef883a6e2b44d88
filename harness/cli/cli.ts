/** From arguments to an exit code: parses them, runs one command, prints errors. */
import { Command, CommanderError, Help } from 'commander';
import { CliError, renderError, toCliError } from './cli-error.js';
import { argsBeforeDashes } from './command-line.js';
import { commands } from './commands/commands.js';
import { exitCode } from './exit-code.js';
import type { Host } from './host.js';
import { packageVersion } from './package-root.js';

export async function main(host: Host): Promise<number> {
  try {
    return await execute(host);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.passed : exitCode.usage;
    return printError(error, host);
  }
}

/** @throws CommanderError, CliError and what else goes wrong */
export async function execute(host: Host): Promise<number> {
  let code: number = exitCode.passed;
  const args = argsBeforeDashes(host.args);
  const program = await buildProgram(args, host, (result) => {
    code = result;
  });
  await program.parseAsync([...args], { from: 'user' });
  return code;
}

async function buildProgram(args: readonly string[], host: Host, finish: (code: number) => void): Promise<Command> {
  const program = new Command('swarmbench')
    .description('Load tests for MCP servers, on this machine or on a Docker Swarm.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      `
Examples:
  swarmbench run                                     run the smoke scenario against the reference server (20 s)
  swarmbench run baseline --target http://localhost:3000/mcp
  swarmbench run baseline -- node server.js          start a server for each session and speak to it over stdio
  swarmbench discover --target http://localhost:3000/mcp
  swarmbench list                                    list scenarios and profiles
  swarmbench report latest                           write the reports of the last run again

Exit codes: 0 passed, 1 internal error, 2 usage or invalid scenario, 3 target unreachable or preflight failed,
4 run invalid or incomplete, 5 regressed, 6 comparison inconclusive, 99 thresholds failed, 130 interrupted.`,
    );
  configure(program, host);
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const subcommand = program.command(name).description(summary);
    configure(subcommand, host);
    if (!args.includes(name)) continue;
    const { declare, examples, takesCommand } = await load();
    if (args[0] === name && takesCommand !== true && args.length < host.args.length) refuseCommand(name);
    declare(subcommand, host, finish);
    subcommand.option('--no-color', 'print without colors (NO_COLOR does the same)');
    subcommand.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`);
  }
  return program;
}

/** @throws CliError USAGE */
function refuseCommand(name: string): never {
  throw new CliError({
    code: 'USAGE',
    message: `${name} takes no command behind --`,
    hint: `see \`swarmbench ${name} --help\``,
  });
}

const help = new Help();

function configure(command: Command, host: Host): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'show this help')
    .configureHelp({
      // An empty default, as of options that may be repeated, is not worth showing.
      optionDescription: (option) => help.optionDescription(option).replace(/ \(default: (?:\[\]|\{\})\)$/, ''),
    })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns(),
      getErrHelpWidth: () => host.stderr.columns(),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(renderError(usageError(text, command.name()))),
    });
}

/** From Commander's `error: unknown option '--sed'\n(Did you mean --seed?)` to our form. */
function usageError(text: string, command: string): CliError {
  const [first = '', suggestion] = text.trim().split('\n');
  const helpCommand = command === 'swarmbench' ? 'swarmbench --help' : `swarmbench ${command} --help`;
  const guess = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? '')?.[1];
  return new CliError({
    code: 'USAGE',
    message: first.replace(/^error: /, ''),
    hint: guess === undefined ? `see \`${helpCommand}\`` : `did you mean ${guess}? see \`${helpCommand}\``,
  });
}

function printError(thrown: unknown, host: Host): number {
  const error = toCliError(thrown);
  const debug = (host.env.SWARMBENCH_DEBUG ?? '') !== '';
  host.stderr.write(renderError(error));
  for (let each = thrown; debug && each instanceof Error; each = each.cause) host.stderr.write(`${each.stack}\n`);
  return error.exitCode;
}
