import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Address, Endpoints } from './endpoints.js';
import type { ProgramOptions } from './options.js';

interface RunningProgram {
  readonly id: string;
  readonly address: Address;
  /** @param address as a client on this machine sees it */
  endpoints(address: Address): Endpoints;
  close(budgetMs: number): Promise<void>;
}

const DRAIN_MS = 10_000;
const LEASE_CHECK_MS = 2_000;
const LEASE_STALE_MS = 60_000;

/**
 * Runs a program of this folder; no other file here touches the process. It parses the arguments, starts the server,
 * prints one JSON line once the server listens, and ends with exit code 0 on SIGTERM, SIGINT or a lost lease (1: could
 * not start, 2: wrong arguments). A second signal ends it at once.
 * @param serveStandardStreams serves one session over stdin and stdout if the options ask for it; the process ends with
 * that session
 */
export async function runProgram<Options extends ProgramOptions>(
  parse: (args: readonly string[]) => Options,
  start: (options: Options) => Promise<RunningProgram>,
  serveStandardStreams: (options: Options, input: Readable, output: Writable) => Promise<void> | undefined = () =>
    undefined,
): Promise<void> {
  const options = orExit(2, () => parse(process.argv.slice(2)));
  const session = serveStandardStreams(options, process.stdin, process.stdout);
  if (session !== undefined) {
    await session;
    process.exit(0);
  }
  const program = await start(options).catch((error: unknown) => exit(1, error));
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(0);
    ending = true;
    void program.close(DRAIN_MS).then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (options.lease !== undefined) {
    watchLease(options.lease, (why) => {
      process.stderr.write(`ending: ${why}\n`);
      end();
    });
  }
  process.stdout.write(`${JSON.stringify({ listening: listening(program) })}\n`);
}

function listening({ id, address, endpoints }: RunningProgram): object {
  const reachable = endpoints({ ...address, host: reachableHost(address.host) });
  return { url: reachable['streamable-http'], port: address.port, id, endpoints: reachable };
}

/** Nothing can connect to a wildcard address, and the reader of the line is on this machine. */
function reachableHost(host: string): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return name.includes(':') ? `[${name}]` : name;
}

function orExit<Result>(code: number, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return exit(code, error);
  }
}

function exit(code: number, error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(code);
}

/**
 * Watches the file that a controller touches as long as it lives. A program whose controller was killed must not live
 * on for ever, but long enough for a restarted controller to adopt it.
 * @param onLost called once, when the file is gone or has not been touched for a minute
 */
function watchLease(file: string, onLost: (why: string) => void): void {
  const timer = setInterval(() => {
    void stat(file).then(
      ({ mtimeMs }) => {
        if (Date.now() - mtimeMs > LEASE_STALE_MS) lost(`${file} was not touched for ${LEASE_STALE_MS / 1000} s`);
      },
      () => lost(`${file} is gone`),
    );
  }, LEASE_CHECK_MS);
  timer.unref();
  const lost = (why: string): void => {
    clearInterval(timer);
    onLost(why);
  };
}
