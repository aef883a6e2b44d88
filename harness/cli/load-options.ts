/** From the options that change a scenario to its plan: for every command that takes a scenario. */
import { type Command, Option } from 'commander';
import { loadPlan, type PlanRequest } from '../../scenarios/schema/load-plan.js';
import type { Era, Plan } from '../../scenarios/schema/plan.js';
import type { SecretOptions } from '../../scenarios/schema/resolve/secret-files.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { CliError } from './cli-error.js';
import type { Host } from './host.js';
import { collectValues, parseNumber } from './option-parsers.js';

export interface LoadOptions {
  readonly set: readonly string[];
  readonly timeScale?: number;
  readonly seed?: number;
  readonly target: readonly string[];
  readonly header: readonly string[];
  readonly config?: string;
  readonly server?: string;
  readonly allowTarget: readonly string[];
  readonly era?: Era;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly authTokenFile?: string;
  readonly authTokenEnv?: string;
}

export function addLoadOptions(command: Command): void {
  command
    .option('--set <path=value>', 'override a value, e.g. workload.normal.clients=50 (repeatable)', collectValues, [])
    .option('--time-scale <factor>', 'multiply the durations of all stages; rates stay the same', parseNumber)
    .option('--seed <n>', 'seed of the random numbers; the same seed gives the same load', parseNumber)
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
    .option('--config <file>', 'take the target from the `mcpServers` file of an MCP client')
    .option('--server <name>', 'name of the server in the --config file')
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

export function planRequest(scenario: string, options: LoadOptions, host: Host): PlanRequest {
  if (options.server !== undefined && options.config === undefined) {
    throw new CliError({
      code: 'USAGE',
      message: '--server names a server in the --config file, but there is no --config',
      hint: 'swarmbench run --config mcp.json --server NAME',
    });
  }
  const { config, server, timeScale, seed, era } = options;
  return {
    scenario,
    sets: options.set,
    targets: options.target,
    headers: options.header,
    allowTargets: options.allowTarget,
    env: host.env,
    ...(timeScale === undefined ? {} : { timeScale }),
    ...(seed === undefined ? {} : { seed }),
    ...(era === undefined ? {} : { era }),
    secrets: secretOptions(options),
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
