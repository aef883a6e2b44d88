/** Makes a Plan from the name of a scenario and the command line, or finds everything that is wrong at once. */
import { resolve } from 'node:path';
import { problemAt, sortProblems } from '../yaml/problem.js';
import { chooseServer } from './client-config/config-file.js';
import type { ConfiguredServer } from './client-config/server-entry.js';
import type { Era, Plan, TlsPlan } from './plan.js';
import { readSources } from './read-sources.js';
import type { ArmOption } from './resolve/arms.js';
import { resolvePlan } from './resolve/plan.js';
import type { SecretOptions, SecretSource } from './resolve/secret-files.js';
import { diskIo, type ScenarioIo, shownPath } from './scenario-io.js';
import { type Problem, positionOfOption } from './source-part.js';
import type { TransportName } from './transports.js';

export interface PlanRequest {
  /** Name of a shipped scenario, or path of a file. */
  readonly scenario: string;
  /** `--set path=value`, in order. */
  readonly sets?: readonly string[];
  /**
   * Factor on the times that shape the run: stages, holds, `after`, `window`, churn after a time, faults. Not on
   * timeouts, think times, drain and rates.
   */
  readonly timeScale?: number;
  readonly seed?: number;
  /** URLs in place of the scenario's server. */
  readonly targets?: readonly string[];
  /** `--arm NAME=URL`, in order: servers of arms, or the arms themselves where the scenario has none. */
  readonly arms?: readonly ArmOption[];
  /** `Name: value`, where `${VAR}` in the value is replaced from `env`. */
  readonly headers?: readonly string[];
  /** The file of an MCP client and one of its servers; the name is not needed where there is only one. */
  readonly mcpConfig?: { readonly file: string; readonly server?: string };
  /** A server that each session starts, and its environment besides the usual. */
  readonly command?: { readonly words: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** For `${input:NAME}` in the `mcpConfig`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Hosts that may be put under load although they are not in a private network. */
  readonly allowTargets?: readonly string[];
  readonly era?: Era;
  /** Of all profiles, whatever they say. */
  readonly transport?: TransportName;
  /** For `${VAR}` in headers, in the environment of a command, and in the file of an MCP client. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files of certificates and tokens, in place of the scenario's. */
  readonly secrets?: SecretOptions;
  /** The contents of these files, sent with a request to a controller, which then reads no file itself. */
  readonly sentSecrets?: { readonly tls?: TlsPlan; readonly tokens?: readonly string[] };
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws for what a user wrote. Problems are sorted by file, line and column. */
export function loadPlan(request: PlanRequest, io: ScenarioIo = diskIo): PlanResult {
  const problems: Problem[] = [...optionProblems(request)];
  const configured = configuredServer(request, io, problems);
  const sources = readSources(request.scenario, request.sets ?? [], io, problems);
  if (sources === undefined) return { ok: false, problems: sortProblems(problems) };
  const resolved = resolvePlan(sources, {
    targets: request.targets ?? [],
    arms: request.arms ?? [],
    headers: request.headers ?? [],
    configured,
    allowTargets: request.allowTargets ?? [],
    era: request.era,
    transport: request.transport,
    env: request.env,
    secrets: secretSource(request, io),
    seed: request.seed,
    timeScale: usableScale(request.timeScale) ? (request.timeScale ?? 1) : 1,
  });
  if (resolved.ok && problems.length === 0) return resolved;
  return { ok: false, problems: sortProblems(resolved.ok ? problems : [...problems, ...resolved.problems]) };
}

function secretSource({ secrets, sentSecrets }: PlanRequest, io: ScenarioIo): SecretSource {
  if (sentSecrets !== undefined) return { from: 'request', ...sentSecrets };
  return { from: 'files', readText: (file) => io.readText(file), options: secrets ?? {} };
}

function optionProblems(request: PlanRequest): readonly Problem[] {
  const problems: Problem[] = [];
  const reportOption = (option: string, message: string, hint: string) =>
    problems.push(problemAt(positionOfOption(option), 'INVALID_VALUE', '', message, hint));
  if (!usableScale(request.timeScale))
    reportOption('--time-scale', `\`${String(request.timeScale)}\` is not a factor`, 'a number above 0, such as 0.1');
  const { seed } = request;
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed <= 4_294_967_295)) {
    reportOption('--seed', `\`${seed}\` is not a seed`, 'a whole number from 0 to 4294967295');
  }
  const naming = [
    ...((request.targets ?? []).length > 0 ? ['--target'] : []),
    ...(request.mcpConfig === undefined ? [] : ['--config']),
    ...(request.command === undefined ? [] : ['the command behind --']),
  ];
  if (naming.length > 1) {
    const names = naming.length === 2 ? `${naming.join(' and ')} both` : `${naming.join(', ')} all`;
    reportOption(naming[0] ?? '', `${names} name the server`, 'use one of them');
  }
  if (request.command?.words.length === 0)
    reportOption('--', 'there is no command behind --', 'swarmbench run baseline -- node server.js');
  return problems;
}

function usableScale(scale: number | undefined): boolean {
  return scale === undefined || (Number.isFinite(scale) && scale > 0 && scale <= 1000);
}

function configuredServer(request: PlanRequest, io: ScenarioIo, problems: Problem[]): ConfiguredServer | undefined {
  if (request.command !== undefined && request.command.words.length > 0) {
    const { words, env } = request.command;
    return { command: words, env, headers: [], transport: 'stdio', warnings: [] };
  }
  if (request.mcpConfig === undefined) return undefined;
  const { env, inputs = {} } = request;
  const { file, server } = request.mcpConfig;
  const text = io.readText(file);
  if (text === undefined) {
    problems.push(problemAt(positionOfOption('--config'), 'NOT_FOUND', '', `there is no file ${file}`));
    return undefined;
  }
  const readText = (path: string): string | undefined => io.readText(path);
  const surroundings = { text, file: resolve(file), shownFile: shownPath(file), env, inputs, readText };
  const chosen = chooseServer(surroundings, server);
  if (chosen.ok) return chosen.server;
  for (const problem of chosen.problems) problems.push(problem);
  return undefined;
}
