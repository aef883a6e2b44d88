import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { Option } from 'commander';
import { type ApiAccess, isLoopback, loopbackAccess } from '../../api/access.js';
import { type Api, type ApiOptions, startApi, tokenAccess } from '../../api/start-api.js';
import { type Role, roles, TokenBook } from '../../api/tokens.js';
import type { AdoptedRun, Controller } from '../../controller/controller.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { DEFAULT_PORT, RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host, Interrupt } from '../host.js';
import { createLocalController } from '../local/local-controller.js';
import { collectValues, parseNumber, parseWholeNumber } from '../options/option-parsers.js';
import { packageVersion } from '../package-root.js';
import { readToken } from '../read-token.js';
import { createSwarmController, type SwarmController } from '../stack/swarm-controller.js';
import type { CliCommand } from './command.js';

const FETCH_MS = 5_000;

interface Options {
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
  readonly out: string;
  readonly threads?: number;
  readonly allowTarget: readonly string[];
  readonly operatorTokenFile?: string;
  readonly viewerTokenFile?: string;
  readonly workerTokenFile?: string;
  readonly requireToken?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plainPort?: number;
  readonly platform: 'local' | 'swarm';
  readonly stack?: string;
  readonly prometheus: string;
}

export const serve: CliCommand = {
  examples: [
    'swarmbench serve',
    'curl -s http://127.0.0.1:8888/runs -H \'Content-Type: application/json\' -d \'{"scenario":"smoke"}\'',
    'swarmbench serve --host 0.0.0.0 --public-url http://10.0.0.5:8888 --out /var/lib/swarmbench',
  ],
  declare(command, host, finish) {
    command
      .option('--host <address>', 'address to listen on; beyond loopback every call needs a token', '127.0.0.1')
      .option('--port <n>', 'port to listen on; 0 chooses a free one', parseNumber, DEFAULT_PORT)
      .option('--public-url <url>', 'URL at which workers on other machines reach this API')
      .option('--out <folder>', 'write results to this folder', RESULTS_FOLDER)
      .addOption(
        new Option(
          '--platform <platform>',
          'run targets and workers as processes of this machine, or as services of the stack around this harness',
        )
          .choices(['local', 'swarm'])
          .default('local'),
      )
      .option('--stack <name>', 'with --platform swarm: name of the stack (default: SWARMBENCH_STACK)')
      .option(
        '--prometheus <url>',
        'with --platform swarm: the Prometheus whose series are kept with each run',
        'http://tasks.prometheus:9090',
      )
      .option('--threads <n>', 'with --platform local: engine threads per worker', parseWholeNumber)
      .option(
        '--allow-target <host>',
        'allow load on a host outside loopback and private networks (repeatable)',
        collectValues,
        [],
      )
      .option(
        '--operator-token-file <file>',
        'file with a token for starting and stopping runs (`swarmbench token` makes others)',
      )
      .option('--viewer-token-file <file>', 'file with a token that reads and changes nothing')
      .option(
        '--worker-token-file <file>',
        'file with a token for workers that register by themselves (`swarmbench token` makes others)',
      )
      .option('--tls-cert <file>', 'speak TLS with this certificate (PEM, with its intermediate certificates)')
      .option('--tls-key <file>', 'private key of that certificate (PEM)')
      .option(
        '--plain-port <n>',
        'with --tls-cert: listen on this port, too, without TLS, for workers and metrics on a network of their own',
        parseNumber,
      )
      .option('--require-token', 'require a token on loopback, too: for machines with other users')
      .action(async (options: Options) => {
        await serveUntilInterrupted(options, host);
        finish(exitCode.passed);
      });
  },
};

async function serveUntilInterrupted(options: Options, host: Host): Promise<void> {
  const resultsFolder = resolve(host.cwd, options.out);
  const { controller, returnToIdle, cluster, hasSuccessor } = controllerFor(resultsFolder, options, host);
  const { adopted, problems } = await controller.adopt();
  for (const problem of problems) host.stderr.write(`warning: cannot resume a run: ${problem}\n`);
  const tokens = new TokenBook(resultsFolder, givenTokens(options));
  const access = accessOf(tokens, adopted, options);
  const apis = await listen(controller, { adopted, cluster, tokens, access }, options, host);
  host.stdout.write(`swarmbench listens on ${apis.at(-1)?.url}, results in ${resultsFolder}\n`);
  if (access.kind === 'tokens' && tokens.isEmpty) host.stdout.write(firstTokens(tokens));
  for (const { run } of adopted) {
    host.stdout.write(`resumed ${run.id}\n`);
    void run.finished.then(({ verdict }) => host.stdout.write(`finished ${run.id}: ${verdict.kind}\n`));
  }
  void Promise.all(adopted.map(({ run }) => run.finished))
    .then(returnToIdle)
    .then(
      (found) => {
        if (found.length > 0) host.stdout.write(`returned to idle after an interrupted run: ${found.join(', ')}\n`);
      },
      (error: unknown) => host.stderr.write(`warning: could not return the stack to idle: ${messageOf(error)}\n`),
    );
  const ending = await interrupted(controller, host, hasSuccessor);
  if (ending === 'left') return;
  // Those who follow a run that ended just now from elsewhere fetch its results.
  if (ending === 'ended runs' && hasSuccessor !== undefined) await sleep(FETCH_MS);
  await Promise.all(apis.map((api) => api.close()));
}

type ServedController = Pick<SwarmController, 'controller' | 'returnToIdle'> &
  Partial<Pick<SwarmController, 'cluster' | 'hasSuccessor'>>;

function controllerFor(resultsFolder: string, options: Options, host: Host): ServedController {
  const {
    platform,
    threads,
    stack = host.env.SWARMBENCH_STACK ?? '',
    operatorTokenFile,
    prometheus: prometheusUrl,
  } = options;
  if (platform === 'local')
    return { controller: createLocalController({ host, resultsFolder, threads }), returnToIdle: async () => [] };
  if (stack === '') {
    throw new CliError({
      code: 'USAGE',
      message: '--platform swarm needs the name of the stack that this harness is part of',
      hint: 'give it with --stack NAME, or as SWARMBENCH_STACK in the environment',
    });
  }
  const apiToken = operatorTokenFile === undefined ? undefined : readToken('--operator-token-file', operatorTokenFile);
  return createSwarmController({ host, resultsFolder, stack, apiToken, prometheusUrl });
}

interface Served {
  readonly adopted: readonly AdoptedRun[];
  readonly cluster: SwarmController['cluster'] | undefined;
  readonly tokens: TokenBook;
  readonly access: ApiAccess;
}

/**
 * One rule for all addresses: those of adopted runs must not let in whom our own does not. Tokens are needed as soon as
 * one address can be reached from elsewhere, or a token was given (as a Docker secret, for example).
 */
function accessOf(tokens: TokenBook, adopted: readonly AdoptedRun[], options: Options): ApiAccess {
  const { host, requireToken = false } = options;
  const hosts = [host, ...earlierUrls(adopted).map((url) => new URL(url).hostname)];
  const isGiven = Object.keys(givenTokens(options)).length > 0;
  if (!requireToken && !isGiven && hosts.every(isLoopback)) return loopbackAccess;
  return tokenAccess(tokens, whereTokensAre(options));
}

function whereTokensAre({ platform, operatorTokenFile, out }: Options): string {
  if (platform === 'swarm')
    return (
      'The operator token of a stack is in .swarmbench/STACK/api-token where `swarmbench up` was run, or in the file ' +
      'that API_TOKEN_FILE named for `docker stack deploy` (swarm/secrets/api-token by default).'
    );
  const made = `\`swarmbench token add operator --out ${out}\` makes one, on the machine of the controller`;
  return operatorTokenFile === undefined
    ? `${made}.`
    : `The controller was started with the operator token in ${operatorTokenFile}; ${made}.`;
}

/** One of each role. */
function firstTokens(tokens: TokenBook): string {
  const lines = roles.map((role) => `  ${role.padEnd(8)}  ${tokens.add(role, 'made at the first start').secret}\n`);
  return `tokens, shown only now (\`swarmbench token\` lists, adds and revokes them):\n${lines.join('')}`;
}

/** Where the workers of resumed runs look for their controller. */
function earlierUrls(adopted: readonly AdoptedRun[]): readonly string[] {
  return [...new Set(adopted.flatMap(({ controllerUrl }) => controllerUrl ?? []))];
}

/**
 * Listens on our own address, and on those of the controllers before us, where the workers of resumed runs look for
 * their controller. Our own comes last, because workers of new runs are given the last one.
 */
async function listen(
  controller: Controller,
  { adopted, cluster, tokens, access }: Served,
  options: Options,
  host: Host,
): Promise<readonly Api[]> {
  const shared = {
    ...(cluster === undefined ? {} : { cluster }),
    version: packageVersion(),
    tokens,
    access,
    allowTargets: options.allowTarget,
    onInternalError: (error: unknown) =>
      host.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
  };
  const apis: Api[] = [];
  for (const url of earlierUrls(adopted)) {
    const { hostname, port } = new URL(url);
    if (Number(port) === options.port) continue;
    try {
      apis.push(await startApi(controller, { ...shared, host: hostname, port: Number(port) }));
    } catch (error) {
      const problem = `workers of an unfinished run expect their controller at ${url}`;
      host.stderr.write(`warning: ${problem}, but this one cannot listen there: ${messageOf(error)}\n`);
    }
  }
  const tls = tlsOf(options);
  const plain = tls === undefined ? undefined : await listenPlainly(controller, shared, options);
  if (plain !== undefined) apis.push(plain);
  const publicUrl = options.publicUrl ?? plain?.url;
  const own = {
    host: options.host,
    port: options.port,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(tls === undefined ? {} : { tls }),
  };
  try {
    apis.push(await startApi(controller, { ...shared, ...own }));
  } catch (error) {
    await Promise.all(apis.map((api) => api.close(0)));
    throw notListening(error, options);
  }
  return apis;
}

/** @throws CliError USAGE, TLS_UNUSABLE */
function tlsOf({ tlsCert, tlsKey, plainPort }: Options): { readonly cert: string; readonly key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined && plainPort === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new CliError({
      code: 'USAGE',
      message: '--tls-cert, --tls-key and --plain-port go together: TLS needs a certificate and its key',
      hint: 'swarmbench serve --tls-cert cert.pem --tls-key key.pem',
    });
  try {
    const tls = { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
    createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new CliError({
      code: 'TLS_UNUSABLE',
      message: `cannot speak TLS with ${tlsCert} and ${tlsKey}: ${messageOf(error)}`,
      hint: 'both must be readable PEM files, and the key must be that of the certificate',
    });
  }
}

/**
 * Without TLS: on the port that was asked for, else on a free one of loopback for the workers that we start here, which
 * cannot check a certificate that was made out to another name.
 */
async function listenPlainly(
  controller: Controller,
  shared: Omit<ApiOptions, 'host' | 'port'>,
  { host, plainPort, platform }: Options,
): Promise<Api | undefined> {
  if (plainPort === undefined && platform === 'swarm') return undefined;
  const address = plainPort === undefined ? { host: '127.0.0.1', port: 0 } : { host, port: plainPort };
  try {
    return await startApi(controller, { ...shared, ...address });
  } catch (error) {
    throw notListening(error, address);
  }
}

/** @throws CliError USAGE */
function givenTokens({ operatorTokenFile, viewerTokenFile, workerTokenFile }: Options): Partial<Record<Role, string>> {
  return {
    ...(viewerTokenFile === undefined ? {} : { viewer: readToken('--viewer-token-file', viewerTokenFile) }),
    ...(operatorTokenFile === undefined ? {} : { operator: readToken('--operator-token-file', operatorTokenFile) }),
    ...(workerTokenFile === undefined ? {} : { worker: readToken('--worker-token-file', workerTokenFile) }),
  };
}

function notListening(error: unknown, { host, port }: Pick<Options, 'host' | 'port'>): CliError {
  return new CliError({
    code: 'NOT_LISTENING',
    message: `cannot listen on ${host}:${port}: ${messageOf(error)}`,
    hint: 'choose another port: swarmbench serve --port 8889',
    exitCode: exitCode.unreachable,
  });
}

type Ending = 'closed' | 'ended runs' | 'left';

/**
 * The first signal lets the current run end gracefully, the second cuts it off; both leave a report. When another
 * harness will take the place of this one, a SIGTERM or SIGHUP leaves the runs to it, as if this one had been killed.
 */
function interrupted(
  controller: Controller,
  host: Host,
  hasSuccessor: (() => Promise<boolean>) | undefined,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let times = 0;
    const end = async (signal: Interrupt, isFirst: boolean): Promise<Ending> => {
      const runs = controller.runs().length;
      if (isFirst && signal !== 'SIGINT' && runs > 0 && (await hasSuccessor?.()) === true) {
        host.stderr.write(`${signal}: leaving the run to the harness that takes the place of this one\n`);
        return 'left';
      }
      if (isFirst) host.stderr.write(`${signal}: shutting down gracefully; repeat it to stop now\n`);
      await (isFirst ? controller.close() : controller.destroy());
      return runs > 0 ? 'ended runs' : 'closed';
    };
    host.onInterrupt((signal) => {
      times += 1;
      end(signal, times === 1).then(resolve, reject);
    });
  });
}
