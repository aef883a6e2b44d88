import { resolve } from 'node:path';
import { Option } from 'commander';
import { type Api, startApi } from '../../api/start-api.js';
import { type Tokens, tokensFile } from '../../api/tokens.js';
import type { AdoptedRun, Controller } from '../../controller/controller.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { DEFAULT_PORT, RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { createLocalController } from '../local/local-controller.js';
import { collectValues, parseNumber, parseWholeNumber } from '../option-parsers.js';
import { packageVersion } from '../package-root.js';
import { readToken } from '../read-token.js';
import { createSwarmController, type SwarmController } from '../stack/swarm-controller.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
  readonly out: string;
  readonly threads?: number;
  readonly allowTarget: readonly string[];
  readonly operatorTokenFile?: string;
  readonly workerTokenFile?: string;
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
        'file with the token for starting and stopping runs (default: a token that the first start creates)',
      )
      .option(
        '--worker-token-file <file>',
        'file with the token of workers (default: a token that the first start creates)',
      )
      .action(async (options: Options) => {
        await serveUntilInterrupted(options, host);
        finish(exitCode.passed);
      });
  },
};

async function serveUntilInterrupted(options: Options, host: Host): Promise<void> {
  const resultsFolder = resolve(host.cwd, options.out);
  const { controller, returnToIdle, cluster } = controllerFor(resultsFolder, options, host);
  const { adopted, problems } = await controller.adopt();
  for (const problem of problems) host.stderr.write(`warning: cannot resume a run: ${problem}\n`);
  const apis = await listen(controller, { adopted, cluster }, options, host);
  const own = apis.at(-1);
  host.stdout.write(`swarmbench listens on ${own?.url}, results in ${resultsFolder}\n`);
  if (own?.tokens !== undefined) host.stdout.write(`tokens are in ${tokensFile(resultsFolder)}\n`);
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
  await interrupted(controller, host);
  await Promise.all(apis.map((api) => api.close()));
}

type ServedController = Pick<SwarmController, 'controller' | 'returnToIdle'> &
  Partial<Pick<SwarmController, 'cluster'>>;

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
}

/**
 * Listens on our own address, and on those of the controllers before us, where the workers of resumed runs look for
 * their controller. Our own comes last, because workers of new runs are given the last one.
 */
async function listen(
  controller: Controller,
  { adopted, cluster }: Served,
  options: Options,
  host: Host,
): Promise<readonly Api[]> {
  const shared = {
    ...(cluster === undefined ? {} : { cluster }),
    version: packageVersion(),
    allowTargets: options.allowTarget,
    onInternalError: (error: unknown) =>
      host.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
  };
  const earlierUrls = new Set(adopted.flatMap(({ controllerUrl }) => controllerUrl ?? []));
  const apis: Api[] = [];
  for (const url of earlierUrls) {
    const { hostname, port } = new URL(url);
    if (Number(port) === options.port) continue;
    try {
      apis.push(await startApi(controller, { ...shared, host: hostname, port: Number(port) }));
    } catch (error) {
      const problem = `workers of an unfinished run expect their controller at ${url}`;
      host.stderr.write(`warning: ${problem}, but this one cannot listen there: ${messageOf(error)}\n`);
    }
  }
  const own = {
    host: options.host,
    port: options.port,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...givenTokens(options),
  };
  try {
    apis.push(await startApi(controller, { ...shared, ...own }));
  } catch (error) {
    throw notListening(error, options);
  }
  return apis;
}

/** Once tokens are given (as Docker secrets, for example), calls over loopback need them, too. */
function givenTokens({ operatorTokenFile, workerTokenFile }: Options): { readonly tokens?: Partial<Tokens> } {
  if (operatorTokenFile === undefined && workerTokenFile === undefined) return {};
  return {
    tokens: {
      ...(operatorTokenFile === undefined ? {} : { operator: readToken('--operator-token-file', operatorTokenFile) }),
      ...(workerTokenFile === undefined ? {} : { worker: readToken('--worker-token-file', workerTokenFile) }),
    },
  };
}

function notListening(error: unknown, { host, port }: Options): CliError {
  return new CliError({
    code: 'NOT_LISTENING',
    message: `cannot listen on ${host}:${port}: ${messageOf(error)}`,
    hint: 'choose another port: swarmbench serve --port 8889',
    exitCode: exitCode.unreachable,
  });
}

/** The first signal lets the current run end gracefully, the second cuts it off; both leave a report. */
function interrupted(controller: Controller, host: Host): Promise<void> {
  return new Promise((resolve, reject) => {
    let times = 0;
    host.onInterrupt((signal) => {
      times += 1;
      if (times === 1) host.stderr.write(`${signal}: shutting down gracefully; repeat it to stop now\n`);
      const end = times === 1 ? controller.close() : controller.destroy();
      end.then(resolve, reject);
    });
  });
}
