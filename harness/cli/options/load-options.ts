/** From the options that change a scenario to its plan: for every command that takes a scenario. */
import { type Command, Option } from 'commander';
import { loadPlan, type PlanRequest } from '../../../scenarios/schema/load-plan.js';
import type { Era, Plan } from '../../../scenarios/schema/plan.js';
import type { ArmOption } from '../../../scenarios/schema/resolve/arms.js';
import type { SecretOptions } from '../../../scenarios/schema/resolve/secret-files.js';
import { type TransportName, transportNames } from '../../../scenarios/schema/transports.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { CliError } from '../cli-error.js';
import { commandBehindDashes } from '../command-line.js';
import type { Host } from '../host.js';
import { collectArms, collectPairs, collectValues, parseNumber } from './option-parsers.js';

/** Which server, and how to speak to it. */
export interface TargetOptions {
  readonly target: readonly string[];
  readonly header: readonly string[];
  readonly config?: string;
  readonly server?: string;
  readonly input?: Readonly<Record<string, string>>;
  /** `NAME=VALUE`, or `NAME` for the value in our own environment. */
  readonly env: readonly string[];
  readonly allowTarget: readonly string[];
  readonly era?: Era;
  readonly transport?: TransportName;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly authTokenFile?: string;
  readonly authTokenEnv?: string;
}

/** The options that change a scenario. */
export interface LoadOptions extends TargetOptions {
  readonly arm?: readonly ArmOption[];
  readonly set: readonly string[];
  readonly timeScale?: number;
  readonly seed?: number;
  readonly tool: readonly string[];
  readonly arguments?: string;
}

/** Options that change what a scenario does, and to which server. */
export function addLoadOptions(command: Command): void {
  command
    .option('--set <path=value>', 'override a value, e.g. workload.normal.clients=50 (repeatable)', collectValues, [])
    .option('--time-scale <factor>', 'multiply the durations of all stages; rates stay the same', parseNumber)
    .option('--seed <n>', 'seed of the random numbers; the same seed gives the same load', parseNumber)
    .option('--tool <name>', 'call this tool in place of what the scenario calls (repeatable)', collectValues, [])
    .option(
      '--arm <name=url>',
      'a server to compare with the first one named, in turn within one run (repeatable)',
      collectArms,
      [],
    )
    .option('--arguments <json>', 'arguments of the --tool, with templates as in a scenario (default: made up)');
  addTargetOptions(command);
}

/** Options that name a server, and how to speak to it. */
export function addTargetOptions(command: Command): void {
  command
    .option(
      '--target <url>',
      "test the server at this URL instead of the scenario's own (repeatable)",
      collectValues,
      [],
    )
    .option(
      '--header <name: value>',
      'send an HTTP header with every request; ${VAR} is read from the environment (repeatable)',
      collectValues,
      [],
    )
    .option('--config <file>', 'take the target from the configuration file of an MCP client, such as mcp.json')
    .option('--server <name>', 'name of the server in the --config file; not needed where there is only one')
    .option('--input <name=value>', 'value of `${input:NAME}` in the --config file (repeatable)', collectPairs)
    .option(
      '--env <name[=value]>',
      'give the command behind -- this variable, from our own environment where it has no value (repeatable)',
      collectValues,
      [],
    )
    .option(
      '--allow-target <host>',
      'allow load on a host outside loopback and private networks (repeatable)',
      collectValues,
      [],
    )
    .option('--tls-ca <file>', 'trust the certificate authorities in this PEM file instead of those of the system')
    .option('--tls-cert <file>', 'client certificate (PEM); use it with --tls-key')
    .option('--tls-key <file>', 'private key of the client certificate (PEM)')
    .option('--insecure', "do not verify the target's certificate; the report mentions it")
    .option('--auth-token-file <file>', 'file with bearer tokens, one per line, to spread over the clients')
    .option('--auth-token-env <name>', 'environment variable that holds the bearer tokens')
    .addOption(
      new Option('--era <era>', 'protocol era: legacy has sessions, modern is stateless, auto asks the target').choices(
        ['auto', 'legacy', 'modern'],
      ),
    )
    .addOption(
      new Option(
        '--transport <transport>',
        'how all clients reach the server (default: as the scenario, the --config or the URL says: .../sse, ws:, tcp:)',
      ).choices(transportNames),
    );
}

/** @throws CliError exit code 2 with every problem, each at its file, line and column */
export function planOf(scenario: string, options: LoadOptions, host: Host): Plan {
  const result = loadPlan(planRequest(scenario, options, host));
  if (result.ok) return result.plan;
  throw new CliError({
    code: result.problems[0]?.code ?? 'INVALID_VALUE',
    message: `${scenario}: ${result.problems.length === 1 ? 'one problem' : `${result.problems.length} problems`}`,
    where: formatProblems(result.problems).replaceAll('\n', '\n  '),
  });
}

/** Whether the command line names the server, in place of the scenario. */
export function namesServer(
  { target, config, arm = [] }: TargetOptions & Pick<LoadOptions, 'arm'>,
  host: Host,
): boolean {
  return target.length > 0 || arm.length > 0 || config !== undefined || commandBehindDashes(host.args) !== undefined;
}

/** The options with what `--tool` and `--arguments` mean as overrides. @throws CliError USAGE */
export function withTools<T extends LoadOptions>(options: T): T {
  const { tool, arguments: written, set } = options;
  if (tool.length === 0 && written === undefined) return options;
  if (tool.length !== 1 && written !== undefined) {
    throw new CliError({
      code: 'USAGE',
      message: '--arguments are those of one --tool',
      hint: 'swarmbench run baseline --target URL --tool NAME --arguments \'{ "key": "value" }\'',
    });
  }
  const args = written === undefined ? 'auto' : parseArguments(written);
  const operations = tool.map((name) => ({ tool: name, arguments: args }));
  return { ...options, set: [...set, `workload.*.operations=${JSON.stringify(operations)}`] };
}

function parseArguments(written: string): object {
  let problem = 'they are no map of names and values';
  try {
    const value: unknown = JSON.parse(written);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  throw new CliError({
    code: 'USAGE',
    message: `--arguments are not JSON: ${problem}`,
    hint: '\'{ "key": "value" }\'',
  });
}

/** @throws CliError USAGE for a variable that is not set */
function commandOption({ env }: TargetOptions, host: Host): PlanRequest['command'] {
  const words = commandBehindDashes(host.args);
  if (words === undefined) {
    if (env.length === 0) return undefined;
    throw new CliError({
      code: 'USAGE',
      message: '--env is for the command behind --, but there is none',
      hint: 'swarmbench run baseline --env KEY -- node server.js',
    });
  }
  const variables = env.map((text): readonly [string, string] => {
    const equals = text.indexOf('=');
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    const value = host.env[text];
    if (value !== undefined) return [text, value];
    throw new CliError({
      code: 'USAGE',
      message: `--env: ${text} is not set`,
      hint: `export ${text}=..., or --env ${text}=VALUE`,
    });
  });
  return { words, env: Object.fromEntries(variables) };
}

/** @throws CliError USAGE for a command that measures one server, when there are several arms */
export function refuseArms({ arms }: Plan, command: string): void {
  if (arms === undefined) return;
  const names = arms.map(({ name }) => name).join(', ');
  throw new CliError({
    code: 'USAGE',
    message: `\`${command}\` measures one server, and the scenario has the arms ${names}`,
    hint: 'name one server: --target URL, and a scenario without `arms`',
  });
}

export function planRequest(scenario: string, options: LoadOptions, host: Host): PlanRequest {
  if (options.server !== undefined && options.config === undefined) {
    throw new CliError({
      code: 'USAGE',
      message: '--server names a server in the --config file, but there is no --config',
      hint: 'swarmbench run --config mcp.json --server NAME',
    });
  }
  if (options.input !== undefined && options.config === undefined) {
    throw new CliError({
      code: 'USAGE',
      message: '--input gives a value to a variable of the --config file, but there is no --config',
      hint: 'swarmbench run --config mcp.json --input NAME=VALUE',
    });
  }
  const { config, server, input, timeScale, seed, era, transport } = options;
  const command = commandOption(options, host);
  return {
    scenario,
    sets: withTools(options).set,
    targets: options.target,
    arms: options.arm ?? [],
    headers: options.header,
    allowTargets: options.allowTarget,
    env: host.env,
    ...(timeScale === undefined ? {} : { timeScale }),
    ...(seed === undefined ? {} : { seed }),
    ...(era === undefined ? {} : { era }),
    ...(transport === undefined ? {} : { transport }),
    secrets: secretOptions(options),
    ...(command === undefined ? {} : { command }),
    ...(input === undefined ? {} : { inputs: input }),
    ...(config === undefined ? {} : { mcpConfig: { file: config, ...(server === undefined ? {} : { server }) } }),
  };
}

function secretOptions({ tlsCa, tlsCert, tlsKey, insecure, authTokenFile, authTokenEnv }: LoadOptions): SecretOptions {
  return {
    ...(tlsCa === undefined ? {} : { ca: tlsCa }),
    ...(tlsCert === undefined ? {} : { cert: tlsCert }),
    ...(tlsKey === undefined ? {} : { key: tlsKey }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(authTokenFile === undefined ? {} : { tokenFile: authTokenFile }),
    ...(authTokenEnv === undefined ? {} : { tokenEnv: authTokenEnv }),
  };
}
