/** `--workers` and what goes with it: how many workers, or which. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Plan } from '../../scenarios/schema/plan.js';
import { kindOf, type SourceNode } from '../../scenarios/yaml/node.js';
import { parseYaml } from '../../scenarios/yaml/parse-yaml.js';
import { formatProblems, type Problem, problemAt } from '../../scenarios/yaml/problem.js';
import type { NamedWorkers } from '../controller/workers/named-workers.js';
import { isLoopback } from '../platform/local/source-addresses.js';
import { messageOf } from '../support/error-message.js';
import { CliError } from './cli-error.js';
import type { Host } from './host.js';
import { parseWholeNumber } from './options/option-parsers.js';
import { readToken } from './read-token.js';

export interface WorkerOptions {
  /** How many, or the URLs of those that wait to be dialled. */
  readonly workers?: number | readonly string[];
  readonly workersFile?: string;
  readonly workersTokenFile?: string;
  readonly workersCa?: string;
  readonly extraConsumers?: boolean;
}

const TOKEN_VARIABLE = 'SWARMBENCH_WORKER_TOKEN';
const EXAMPLE = 'http://10.0.0.5:8081,http://10.0.0.6:8081';

export function addWorkerOptions(command: Command): Command {
  return command
    .option(
      '--workers <n or urls>',
      'number of worker processes (default: as many as the plan needs), or the URLs of workers that were started ' +
        'with `swarmbench worker --listen`, separated by commas',
      parseWorkers,
    )
    .option('--workers-file <file>', 'YAML file with the URLs of such workers: `workers: [http://a:8081, ...]`')
    .option('--workers-token-file <file>', `file with the token of these workers (or set ${TOKEN_VARIABLE})`)
    .option('--workers-ca <file>', 'trust the certificate authorities in this PEM file for https workers')
    .option('--extra-consumers', 'put clients that subscribe on workers of their own: two thirds of all workers');
}

/** How many workers the user wants; undefined: as many as the plan needs. @throws CliError USAGE for the file */
export function workerCountOf(options: WorkerOptions, host: Host): number | undefined {
  if (typeof options.workers === 'number') return options.workers;
  return namedUrls(options, host)?.length;
}

/** Whether workers are named. */
export function namesWorkers({ workers, workersFile }: WorkerOptions): boolean {
  return typeof workers === 'object' || workersFile !== undefined;
}

/** The workers that the controller dials; undefined: it starts its own. @throws CliError USAGE */
export function namedWorkers(options: WorkerOptions, host: Host): NamedWorkers | undefined {
  const urls = namedUrls(options, host);
  if (urls === undefined) return undefined;
  const { workersTokenFile, workersCa } = options;
  const token =
    workersTokenFile === undefined
      ? host.env[TOKEN_VARIABLE]
      : readToken('--workers-token-file', resolve(host.cwd, workersTokenFile));
  return {
    urls,
    ...(token === undefined ? {} : { token }),
    ...(workersCa === undefined ? {} : { ca: readText('--workers-ca', resolve(host.cwd, workersCa)) }),
  };
}

/** @throws CliError USAGE for options that do not go together */
export function refuseImpossibleWorkers(options: WorkerOptions, { isRemote }: { readonly isRemote: boolean }): void {
  const named = namesWorkers(options);
  if (named && isRemote)
    throw new CliError({
      code: 'USAGE',
      message: 'named workers make the load of runs that this command conducts itself',
      hint: 'leave out --on swarm and --controller, or let them register: swarmbench worker --controller URL',
    });
  if (options.workers !== undefined && options.workersFile !== undefined)
    throw new CliError({
      code: 'USAGE',
      message: '--workers and --workers-file both say which workers there are',
      hint: 'use one of them',
    });
  const alone = [
    ['--workers-token-file', options.workersTokenFile],
    ['--workers-ca', options.workersCa],
  ].find(([, value]) => value !== undefined);
  if (!named && alone !== undefined)
    throw new CliError({
      code: 'USAGE',
      message: `${alone[0]} is for workers that are named`,
      hint: `--workers ${EXAMPLE}`,
    });
  if (options.extraConsumers === true && isRemote)
    throw new CliError({
      code: 'USAGE',
      message: '--extra-consumers applies only to runs that this command conducts itself',
      hint: 'leave out --on swarm and --controller; --workers names workers on other machines',
    });
}

/** Parts of a plan that these workers cannot do, one sentence each. */
export function workerRefusals(plan: Plan, options: WorkerOptions, host: Host): readonly string[] {
  const urls = namedUrls(options, host) ?? [];
  const { kind } = plan.target;
  const away = urls.find((url) => !isLoopback(url));
  const problems: string[] = [];
  if (away !== undefined && (kind === 'reference' || kind === 'sink'))
    problems.push(
      `target.server: ${kind} is started on loopback of this machine, which the worker at ${away} cannot reach: ` +
        'name a server with --target',
    );
  if (options.extraConsumers !== true) return problems;
  const subscribers = plan.profiles.filter(({ stream }) => stream !== undefined).length;
  if (subscribers === 0 || subscribers === plan.profiles.length)
    problems.push(
      `--extra-consumers: ${subscribers === 0 ? 'no' : 'every'} profile subscribes (key \`stream\`), so there is ` +
        'nothing to keep apart',
    );
  if ((workerCountOf(options, host) ?? 1) < 2)
    problems.push('--extra-consumers: one worker cannot be divided: use --workers 2 or more');
  return problems;
}

function namedUrls({ workers, workersFile }: WorkerOptions, host: Host): readonly string[] | undefined {
  if (typeof workers === 'object') return workers;
  return workersFile === undefined ? undefined : readWorkersFile(resolve(host.cwd, workersFile));
}

function parseWorkers(text: string): number | readonly string[] {
  if (/^\s*-?\d+(\.\d*)?\s*$/.test(text)) return parseWholeNumber(text);
  const urls = text.split(',').map((url) => url.trim());
  const problem = urls.map(urlProblem).find((one) => one !== undefined) ?? repeated(urls);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}. Write a number, or ${EXAMPLE}`);
  return urls;
}

function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username + url.password !== '') return 'the token of a worker belongs in a file';
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return undefined;
  return `\`${text}\` is not the URL of a worker`;
}

function repeated(urls: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const url of urls) {
    const { href } = new URL(url);
    if (seen.has(href)) return `${url} is named twice`;
    seen.add(href);
  }
  return undefined;
}

/** @throws CliError USAGE with every problem at its line */
function readWorkersFile(file: string): readonly string[] {
  const start = { file, line: 1, column: 1 };
  const { node, problems } = parseYaml(readText('--workers-file', file), start);
  const found: Problem[] = [...problems];
  const urls = found.length > 0 ? [] : urlsIn(node, start, found);
  const again = found.length > 0 ? undefined : repeated(urls);
  if (again !== undefined) found.push(problemAt(start, 'INVALID_VALUE', 'workers', again));
  if (found.length === 0) return urls;
  throw new CliError({
    code: 'USAGE',
    message: `--workers-file: ${found.length === 1 ? 'one problem' : `${found.length} problems`}`,
    where: formatProblems(found).replaceAll('\n', '\n  '),
    hint: 'workers:\n    - http://10.0.0.5:8081\n    - http://10.0.0.6:8081',
  });
}

function urlsIn(node: SourceNode | undefined, start: Problem | SourceNode['at'], found: Problem[]): readonly string[] {
  const refuse = (at: SourceNode['at'], message: string): readonly string[] => {
    found.push(problemAt(at, 'INVALID_VALUE', 'workers', message));
    return [];
  };
  if (node?.kind !== 'map') return refuse(node?.at ?? start, 'expected a map with the key `workers`');
  for (const [key, { keyAt }] of node.entries) if (key !== 'workers') refuse(keyAt, `unknown key \`${key}\``);
  const list = node.entries.get('workers')?.node;
  if (list === undefined) return refuse(node.at, 'missing key `workers`');
  if (list.kind !== 'list' || list.items.length === 0)
    return refuse(
      list.at,
      `\`workers\` is a list of URLs, not ${list.kind === 'list' ? 'an empty one' : kindOf(list)}`,
    );
  return list.items.flatMap((item) => {
    const text = item.kind === 'scalar' ? item.source : '';
    const problem = urlProblem(text);
    return problem === undefined ? [text] : refuse(item.at, problem);
  });
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError({ code: 'USAGE', message: `${option}: ${messageOf(error)}`, hint: 'name a file that exists' });
  }
}
