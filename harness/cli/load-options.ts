/** Options that decide what is loaded, shared by `run`, `plan` and `validate`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadPlan, type PlanRequest } from '../../scenarios/schema/load-plan.js';
import type { Era, Plan } from '../../scenarios/schema/plan.js';
import type { SecretOptions } from '../../scenarios/schema/resolve/secret-files.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { CliError } from './cli-error.js';
import type { Host } from './host.js';

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
    .option('--set <path=value>', 'override a value: workload.normal.clients=50 (repeatable)', collect, [])
    .option('--time-scale <factor>', 'stretch or shrink all times of the stages, not the rates', number)
    .option('--seed <n>', 'one seed gives the same operations and arrivals', number)
    .option('--target <url>', "a running server instead of the scenario's own (repeatable)", collect, [])
    .option(
      '--header <name: value>',
      'HTTP header of every request; ${VAR} is taken from the environment (repeatable)',
      collect,
      [],
    )
    .option('--config <file>', 'the `mcpServers` file that MCP clients use')
    .option('--server <name>', 'which server of --config')
    .option(
      '--allow-target <host>',
      'allow load on a host outside loopback and private networks (repeatable)',
      collect,
      [],
    )
    .option('--tls-ca <file>', "authorities to believe, PEM, in place of the system's")
    .option('--tls-cert <file>', 'client certificate, PEM; with --tls-key')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--insecure', "do not check the target's certificate; the report says so")
    .option('--auth-token-file <file>', 'bearer tokens, one a line, spread over the clients')
    .option('--auth-token-env <name>', 'environment variable that holds them')
    .addOption(
      new Option('--era <era>', 'session era or stateless era; auto is decided in preflight').choices([
        'auto',
        'legacy',
        'modern',
      ]),
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
      message: '--server names a server of --config, which is missing',
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

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Not a whole number above 0.');
  return value;
}
