import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { ProgramOptions } from './options.js';

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  /** Beside Streamable HTTP: where it listens for which transport, with 127.0.0.1 for a wildcard. */
  readonly endpoints?: (host: string) => Readonly<Record<string, string>>;
  close(budgetMs: number): Promise<void>;
}

const drainMs = 10_000;

/**
 * The life of a program of this folder, and the only place here that touches the process: parses the arguments, starts,
 * prints one JSON line when it listens, and ends with exit code 0 on SIGTERM, SIGINT or a lost lease (1: could not
 * start, 2: wrong arguments). A second signal ends it at once.
 * @param alone serves one session over the process's own streams, if that is what the options ask for; the process ends
 * with it
 */
export async function runProgram<Options extends ProgramOptions>(
  parse: (args: readonly string[]) => Options,
  start: (options: Options) => Promise<Listening>,
  alone: (options: Options, input: Readable, output: Writable) => Promise<void> | undefined = () => undefined,
): Promise<void> {
  const options = attempt(() => parse(process.argv.slice(2)));
  const session = alone(options, process.stdin, process.stdout);
  if (session !== undefined) {
    await session;
    process.exit(0);
  }
  const program = await start(options).catch((error: unknown) => fail(1, error));
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(0);
    ending = true;
    void program.close(drainMs).then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (options.lease !== undefined) {
    watchLease(options.lease, (why) => {
      process.stderr.write(`ending: ${why}\n`);
      end();
    });
  }
  const { port, id } = program;
  const url = `http://${hostOf(program)}:${port}/mcp`;
  const endpoints = { 'streamable-http': url, ...program.endpoints?.(hostOf(program)) };
  process.stdout.write(`${JSON.stringify({ listening: { url, port, id, endpoints } })}\n`);
}

/** Where WebSocket and lines are spoken, if anywhere. */
export function streamEndpoints(port: number | undefined): (host: string) => Readonly<Record<string, string>> {
  return (host) => (port === undefined ? {} : { websocket: `ws://${host}:${port}/mcp`, tcp: `tcp://${host}:${port}` });
}

/** A wildcard is no place to connect to; whoever reads the line is on this machine. */
function hostOf({ host }: Listening): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return name.includes(':') ? `[${name}]` : name;
}

function attempt<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    return fail(2, error);
  }
}

function fail(code: number, error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(code);
}

const checkEveryMs = 2_000;
const staleAfterMs = 60_000;

/**
 * Watches the file that a controller touches as long as it lives: a program started by a controller that was killed
 * must not outlive it for ever, but long enough for a restarted one to take it over.
 * @param lost called once, when the file is gone or has not been touched for a minute
 * @returns how to stop watching
 */
function watchLease(file: string, lost: (why: string) => void): () => void {
  const timer = setInterval(() => {
    void stat(file).then(
      ({ mtimeMs }) => {
        if (Date.now() - mtimeMs > staleAfterMs) end(`${file} was not touched for ${staleAfterMs / 1000} s`);
      },
      () => end(`${file} is gone`),
    );
  }, checkEveryMs);
  timer.unref();
  const end = (why: string): void => {
    clearInterval(timer);
    lost(why);
  };
  return () => clearInterval(timer);
}
