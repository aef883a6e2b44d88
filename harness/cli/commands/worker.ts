import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly controller?: string;
  readonly listen?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly threads?: string;
  readonly slot?: string;
}

/** The program that the platforms start, too. It reads its token from the environment, which other users cannot see. */
const ENTRY = fileURLToPath(new URL('../../../client-sim/main.js', import.meta.url));

export const worker: CliCommand = {
  examples: [
    'swarmbench worker --controller http://127.0.0.1:8888',
    'swarmbench worker --listen 8081 --token-file worker.token',
    'SWARMBENCH_WORKER_TOKEN=... swarmbench worker --controller http://10.0.0.5:8888 --threads 4',
  ],
  declare(command, host, finish) {
    command
      .option('--controller <url>', 'register with the controller at this URL')
      .option(
        '--listen <[host:]port>',
        'wait until `swarmbench run --workers` names this worker; on 127.0.0.1 alone where there is no token',
      )
      .option('--token-file <file>', 'file with the token of the worker (or set SWARMBENCH_WORKER_TOKEN)')
      .option('--tls-cert <file>', 'with --listen: certificate (PEM); use it with --tls-key')
      .option('--tls-key <file>', 'with --listen: private key of the certificate (PEM)')
      .option('--tls-ca <file>', 'trust the certificate authorities in this PEM file for an https controller')
      .option('--threads <n>', 'number of engine threads (default: one per core)')
      .option('--slot <n>', 'position of this worker when clients are distributed, from 1')
      .action(async (options: Options) => {
        if ((options.controller === undefined) === (options.listen === undefined)) {
          throw new CliError({
            code: 'USAGE',
            message: 'a worker has either a --controller, or an address to --listen on',
            hint: '--controller http://127.0.0.1:8888 or --listen 8081',
          });
        }
        if (options.controller !== undefined && !URL.canParse(options.controller)) {
          throw new CliError({
            code: 'USAGE',
            message: `--controller: \`${options.controller}\` is not a URL`,
            hint: 'write it like http://127.0.0.1:8888',
          });
        }
        finish(await runWorker(argumentsOf(options), host));
      });
  },
};

function argumentsOf(options: Options): readonly string[] {
  const { controller, listen, tokenFile, tlsCert, tlsKey, tlsCa, threads, slot } = options;
  return Object.entries({
    '--controller': controller,
    '--listen': listen,
    '--token-file': tokenFile,
    '--tls-cert': tlsCert,
    '--tls-key': tlsKey,
    '--tls-ca': tlsCa,
    '--threads': threads,
    '--slot': slot,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/** Ctrl-C reaches the worker anyway, because it is in our process group; the other signals have to be passed on. */
function runWorker(args: readonly string[], host: Host): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(host.processes.execPath, [ENTRY, ...args], { stdio: 'inherit' });
    const ignore = host.onInterrupt((signal) => {
      if (signal !== 'SIGINT') child.kill(signal);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      ignore();
      resolve(code ?? (signal === 'SIGINT' ? exitCode.interrupted : exitCode.internal));
    });
  });
}
