import { parseArgs } from 'node:util';
import { CLIENT_INFO } from '../mcp/revisions.js';
import type { ListenOptions } from './listening-worker.js';
import type { WorkerOptions } from './load-worker.js';

export const USAGE = `Usage: node client-sim/main.js --controller URL [options]
       node client-sim/main.js --listen [HOST:]PORT [options]

  --controller URL     controller to register with
  --listen [HOST:]PORT wait for a controller (default host: 127.0.0.1, and every address where there is a token)
  --tls-cert FILE      with --listen: certificate (PEM); use it with --tls-key
  --tls-key FILE       with --listen: private key of the certificate (PEM)
  --token-file FILE    file with the worker token (or set SWARMBENCH_WORKER_TOKEN); not needed on loopback
  --tls-ca FILE        trust the certificate authorities in this PEM file for an https controller
  --slot N             preferred position among the workers, from 1
  --threads N          engine threads (default: all cores but one)
  --max-clients N      most virtual clients this worker takes (default: from the limit on open files)
  --max-rate N         most operations per second this worker sends
  --metrics-port N     serve Prometheus metrics on this port (default: do not serve them; 9464 is customary)
  --metrics-host HOST  address to serve the metrics on (default: 127.0.0.1)
  --lease FILE         end when this file is gone or has not been touched for 60 s
  --help               print this help
`;

export class UsageError extends Error {
  readonly code = 'WORKER_USAGE';
  override readonly name = 'UsageError';
}

/** The properties of the process that parsing depends on. */
export interface ParseContext {
  /** `SWARMBENCH_WORKER_TOKEN`. */
  readonly token: string | undefined;
  readonly cores: number;
  readonly readFile: (path: string) => string;
  readonly log: (text: string) => void;
}

/** @throws UsageError */
export function parseOptions(
  args: readonly string[],
  { token, cores, readFile, log }: ParseContext,
): WorkerOptions | ListenOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const secret = values['token-file'] === undefined ? token : read('--token-file', values['token-file'], readFile);
  const slot = integer('--slot', values.slot, 1);
  const maxClients = integer('--max-clients', values['max-clients'], 1);
  const maxRate = integer('--max-rate', values['max-rate'], 1);
  const metricsPort = integer('--metrics-port', values['metrics-port'], 0) ?? 0;
  const common = {
    version: CLIENT_INFO.version,
    log,
    threads: integer('--threads', values.threads, 1) ?? Math.max(1, cores - 1),
    ...(secret === undefined ? {} : { token: secret }),
    ...(maxClients === undefined ? {} : { maxClients }),
    ...(maxRate === undefined ? {} : { maxRate }),
    ...(metricsPort === 0 ? {} : { metrics: { host: values['metrics-host'] ?? '127.0.0.1', port: metricsPort } }),
  };
  if (values.listen !== undefined) return { ...common, ...listening(values, secret, readFile) };
  if (values.controller === undefined || !URL.canParse(values.controller))
    throw new UsageError(
      '--controller needs the URL of a controller, for example http://127.0.0.1:8888. ' +
        'A worker that waits for one has --listen 8081',
    );
  return {
    ...common,
    controllerUrl: values.controller,
    ...(values['tls-ca'] === undefined ? {} : { controllerCa: read('--tls-ca', values['tls-ca'], readFile) }),
    ...(slot === undefined ? {} : { slot }),
    ...(values.lease === undefined ? {} : { leaseFile: values.lease }),
  };
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** @throws UsageError for an address that others can reach, without a token */
function listening(
  values: ReturnType<typeof parse>,
  token: string | undefined,
  readFile: ParseContext['readFile'],
): Pick<ListenOptions, 'listen' | 'tls'> {
  for (const other of ['controller', 'tls-ca', 'slot', 'lease'] as const)
    if (values[other] !== undefined) throw new UsageError(`--${other} is for a worker that looks for its controller`);
  const [, host = token === undefined ? '127.0.0.1' : '::', port = ''] =
    /^(?:\[?([^\]]+)\]?:)?(\d+)$/.exec(values.listen ?? '') ?? [];
  if (port === '' || Number(port) > 65_535)
    throw new UsageError(`--listen: \`${values.listen}\` is not a port, nor HOST:PORT`);
  if (token === undefined && !LOOPBACK.test(host))
    throw new UsageError(
      `--listen ${values.listen}: whoever reaches a worker can make it send load and start programs. ` +
        'Give it a token: --token-file FILE, or SWARMBENCH_WORKER_TOKEN',
    );
  const { 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key go together');
  if (cert === undefined || key === undefined) return { listen: { host, port: Number(port) } };
  const tls = { cert: read('--tls-cert', cert, readFile), key: read('--tls-key', key, readFile) };
  return { listen: { host, port: Number(port) }, tls };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        controller: { type: 'string' },
        listen: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'token-file': { type: 'string' },
        'tls-ca': { type: 'string' },
        slot: { type: 'string' },
        threads: { type: 'string' },
        'max-clients': { type: 'string' },
        'max-rate': { type: 'string' },
        'metrics-port': { type: 'string' },
        'metrics-host': { type: 'string' },
        lease: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function read(option: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path).trim();
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function integer(name: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min)
    throw new UsageError(`${name}: \`${text}\` is not a whole number of at least ${min}`);
  return value;
}
