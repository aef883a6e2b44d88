import { resolve } from 'node:path';
import { type ListedServer, listServers } from '../../../scenarios/schema/client-config/config-file.js';
import { transportOf } from '../../../scenarios/schema/client-config/server-entry.js';
import { listProfiles, listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { diskIo, shownPath } from '../../../scenarios/schema/scenario-io.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectPairs } from '../options/option-parsers.js';
import { type Style, styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly config?: string;
  readonly input?: Readonly<Record<string, string>>;
  readonly json?: boolean;
  readonly color: boolean;
}

export const list: CliCommand = {
  examples: ['swarmbench list', 'swarmbench list --json', 'swarmbench list --config mcp.json'],
  declare(command, host, finish) {
    command
      .option(
        '--config <file>',
        'list the servers in the configuration file of an MCP client, and what is wrong with them',
      )
      .option('--input <name=value>', 'value of `${input:NAME}` in the --config file (repeatable)', collectPairs)
      .option('--json', 'print one JSON object on stdout')
      .action((options: Options) => {
        const { config, json, color } = options;
        const style = styleFor(host.stdout, host.env, color);
        const shown = config === undefined ? shipped(style) : ofConfig(config, options, host, style);
        host.stdout.write(
          json === true ? `${JSON.stringify(shown.json, undefined, 2)}\n` : `${shown.lines.join('\n')}\n`,
        );
        finish(exitCode.passed);
      });
  },
};

interface Shown {
  readonly json: object;
  readonly lines: readonly string[];
}

function shipped(style: Style): Shown {
  const scenarios = listScenarios();
  const profiles = listProfiles();
  const rows = table([...scenarios, ...profiles].map(({ name, description }) => [`  ${name}`, description]));
  return {
    json: { scenarios, profiles },
    lines: [
      style.bold('Scenarios'),
      ...rows.slice(0, scenarios.length),
      '',
      style.bold('Profiles'),
      ...rows.slice(scenarios.length),
    ],
  };
}

/** @throws CliError for a file that cannot be read */
function ofConfig(file: string, { input = {} }: Options, host: Host, style: Style): Shown {
  const path = resolve(host.cwd, file);
  const text = diskIo.readText(path);
  if (text === undefined)
    throw new CliError({ code: 'NOT_FOUND', message: `there is no file ${file}`, exitCode: exitCode.usage });
  const readText = (name: string): string | undefined => diskIo.readText(name);
  const listed = listServers({ text, file: path, shownFile: shownPath(file), env: host.env, inputs: input, readText });
  if (!listed.ok) {
    const where = formatProblems(listed.problems).replaceAll('\n', '\n  ');
    throw new CliError({ code: 'INVALID_VALUE', message: `${file}: its servers cannot be read`, where });
  }
  const servers = listed.servers.map(shownServer);
  const rows = table(servers.map(({ name, transport, address }) => [`  ${name}`, transport, address]));
  return {
    json: { servers },
    lines: [
      style.bold('Servers'),
      ...servers.flatMap(({ problems, warnings }, index) => [
        rows[index] ?? '',
        ...problems.map((problem) => `      ${style.red('problem:')} ${problem.replaceAll('\n', '\n  ')}`),
        ...warnings.map((warning) => `      ${style.yellow('warning:')} ${warning}`),
      ]),
    ],
  };
}

interface ShownServer {
  readonly name: string;
  readonly transport: string;
  /** Where it is, or how it is started. */
  readonly address: string;
  readonly disabled: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Without secrets: a command as it is written, a url without the values of its query. */
function shownServer({ name, disabled, result }: ListedServer): ShownServer {
  const state = disabled ? ['disabled'] : [];
  if (!result.ok) {
    const problems = result.problems.map((problem) => formatProblems([problem]));
    return { name, transport: '-', address: state.join(''), disabled, problems, warnings: [] };
  }
  const { url, writtenCommand = [], warnings } = result.server;
  const address = url === undefined ? writtenCommand.join(' ') : shownUrl(url.text);
  return {
    name,
    transport: transportOf(result.server) ?? 'streamable-http',
    address: disabled ? `(disabled) ${address}` : address,
    disabled,
    problems: [],
    warnings,
  };
}
