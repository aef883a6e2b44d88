import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { discover } from './preflight/discover.js';
import { watchTools } from './preflight/watch-tools.js';
import { parseDiscoveryOrder } from './protocol/discovery.js';
import { parseWatchOrder } from './protocol/watch-order.js';
import { parseOptions, USAGE, UsageError } from './worker/arguments.js';
import { ListeningWorker } from './worker/listening-worker.js';
import { LoadWorker, type WorkerEnd } from './worker/load-worker.js';

/** 0: done · 1: internal error · 2: wrong arguments, or refused by the controller · 3: controller unreachable */
const EXIT_CODES: Readonly<Record<WorkerEnd['kind'], number>> = {
  stopped: 0,
  'lease-stale': 0,
  refused: 2,
  unreachable: 3,
};

function log(text: string): void {
  process.stderr.write(`${new Date().toISOString()} worker ${process.pid}: ${text}\n`);
}

async function main(): Promise<number> {
  if (process.argv[2] === '--discover') return discoverOnce();
  if (process.argv[2] === '--watch-tools') return watchOnce();
  const options = parseOptions(process.argv.slice(2), {
    token: process.env.SWARMBENCH_WORKER_TOKEN,
    cores: availableParallelism(),
    readFile: (path) => readFileSync(path, 'utf8'),
    log,
  });
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  // The first signal drains the worker, the second one cuts it.
  const drain = new AbortController();
  const cut = new AbortController();
  const stop = (): void => (drain.signal.aborted ? cut : drain).abort();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A terminal that is closed sends it to all its processes, and those pass it on: it may come twice.
  process.on('SIGHUP', () => drain.abort());
  // Nothing that was measured gets lost with it: what can be delivered is.
  let isBroken = false;
  process.on('uncaughtException', (error) => {
    log(error.stack ?? error.message);
    if (isBroken) process.exit(1);
    isBroken = true;
    cut.abort();
  });
  if ('listen' in options) {
    const worker = await ListeningWorker.start(options);
    await worker.work({ drain: drain.signal, cut: cut.signal });
    return isBroken ? 1 : EXIT_CODES.stopped;
  }
  const end = await new LoadWorker(options).work({ drain: drain.signal, cut: cut.signal });
  if (end.kind !== 'stopped') log(end.why);
  return isBroken ? 1 : EXIT_CODES[end.kind];
}

/** A look at a server: the order on standard input, what was found on standard output. */
async function discoverOnce(): Promise<number> {
  const found = await discover(parseDiscoveryOrder(readFileSync(0, 'utf8')));
  await new Promise<void>((resolve) => process.stdout.write(JSON.stringify(found), () => resolve()));
  return 0;
}

/** Waits for tools: the order in the environment, since it may hold secrets; what was seen on standard output. */
async function watchOnce(): Promise<number> {
  const order = parseWatchOrder(process.env.SWARMBENCH_WATCH_ORDER ?? '');
  await watchTools(order, (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${USAGE}`);
      process.exit(2);
    }
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
