import { resolve } from 'node:path';
import { Option } from 'commander';

import { type Api, startApi } from '../../api/start-api.js';
import { type Tokens, tokensFile } from '../../api/tokens.js';
import type { AdoptedRun, Controller } from '../../controller/controller.js';
import { packageVersion } from '../package-root.js';
import { CliError } from '../cli-error.js';
import { DEFAULT_PORT } from '../doctor/facts.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues, parseNumber, parseWholeNumber } from '../load-options.js';
import { createLocalController } from '../local/local-conductor.js';
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
      .option('--host <address>', 'where to listen; beyond loopback every call needs a token', '127.0.0.1')
      .option('--port <n>', 'port to listen on; 0: any free one', parseNumber, DEFAULT_PORT)
      .option('--public-url <url>', 'where workers elsewhere reach it')
      .option('--out <folder>', 'where results go', 'results')
      .addOption(
        new Option(
          '--platform <platform>',
          'where targets and workers run: processes of this machine, or services of the stack it is part of',
        )
          .choices(['local', 'swarm'])
          .default('local'),
      )
      .option('--stack <name>', 'with --platform swarm: which stack (default: SWARMBENCH_STACK)')
      .option(
        '--prometheus <url>',
        'with --platform swarm: whose series are kept with each run',
        'http://tasks.prometheus:9090',
      )
      .option('--threads <n>', 'engine threads of each worker it starts', parseWholeNumber)
      .option(
        '--allow-target <host>',
        'allow load on a host outside loopback and private networks (repeatable)',
        collectValues,
        [],
      )
      .option(
        '--operator-token-file <file>',
        'token that may start and stop runs (default: one made at the first start)',
      )
      .option('--worker-token-file <file>', 'token of workers (default: one made at the first start)')
      .action(async (options: Options) => {
        await serveUntilInterrupted(options, host);
        finish(exitCode.passed);
      });
  },
};

async function serveUntilInterrupted(options: Options, host: Host): Promise<void> {
  const resultsFolder = resolve(host.cwd, options.out);
  const { controller, putToRest, cluster } = controllerFor(resultsFolder, options, host);
  const { adopted, problems } = await controller.adopt();
  for (const problem of problems) host.stderr.write(`warning: not adopted: ${problem}\n`);
  const apis = await listen(controller, { adopted, cluster }, options, host);
  const own = apis.at(-1);
  host.stdout.write(`swarmbench listens on ${own?.url}, results in ${resultsFolder}\n`);
  if (own?.tokens !== undefined) host.stdout.write(`tokens are in ${tokensFile(resultsFolder)}\n`);
  for (const { run } of adopted) {
    host.stdout.write(`adopted ${run.id}\n`);
    void run.finished.then(({ verdict }) => host.stdout.write(`finished ${run.id}: ${verdict.kind}\n`));
  }
  void Promise.all(adopted.map(({ run }) => run.finished))
    .then(putToRest)
    .then(
      (found) =>
        found.length > 0 && host.stdout.write(`put to rest after a run that was cut short: ${found.join(', ')}\n`),
      (error: unknown) =>
        host.stderr.write(
          `warning: the stack could not be put to rest: ${error instanceof Error ? error.message : String(error)}\n`,
        ),
    );
  await interrupted(controller, host);
  await Promise.all(apis.map((api) => api.close()));
}

function controllerFor(
  resultsFolder: string,
  options: Options,
  host: Host,
): Omit<SwarmController, 'cluster'> & Partial<SwarmController> {
  const {
    platform,
    threads,
    stack = host.env.SWARMBENCH_STACK ?? '',
    operatorTokenFile,
    prometheus: prometheusUrl,
  } = options;
  if (platform === 'local')
    return { controller: createLocalController({ host, resultsFolder, threads }), putToRest: async () => [] };
  if (stack === '') {
    throw new CliError({
      code: 'USAGE',
      message: '--platform swarm: which stack is this harness part of?',
      hint: '--stack NAME, or SWARMBENCH_STACK in the environment',
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
 * Workers of an adopted run look for their controller where it was, so that address is listened on as well. Last comes
 * our own: new runs tell their workers that one.
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
  const before = new Set(adopted.flatMap(({ controllerUrl }) => (controllerUrl === undefined ? [] : [controllerUrl])));
  const apis: Api[] = [];
  for (const url of before) {
    const { hostname, port } = new URL(url);
    if (Number(port) === options.port) continue;
    await startApi(controller, { ...shared, host: hostname, port: Number(port) }).then(
      (api) => apis.push(api),
      (error: unknown) =>
        host.stderr.write(
          `warning: workers of an unfinished run expect their controller at ${url}, which cannot be listened on: ${String(error)}\n`,
        ),
    );
  }
  const own = {
    host: options.host,
    port: options.port,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...givenTokens(options),
  };
  apis.push(
    await startApi(controller, { ...shared, ...own }).catch((error: unknown) => {
      throw notListening(error, options);
    }),
  );
  return apis;
}

/** Of Docker secrets, for example. Loopback asks for tokens too once there are given ones. */
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
    message: `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'another port: swarmbench serve --port 8889',
    exitCode: exitCode.unreachable,
  });
}

/** The first signal lets the run that is on end gracefully, the second cuts it; both leave a report. */
function interrupted(controller: Controller, host: Host): Promise<void> {
  return new Promise((resolve, reject) => {
    let times = 0;
    host.onInterrupt((signal) => {
      times += 1;
      if (times === 1) host.stderr.write(`${signal}: shutting down; again to stop now\n`);
      const end = times === 1 ? controller.close() : controller.destroy();
      end.then(resolve, reject);
    });
  });
}
