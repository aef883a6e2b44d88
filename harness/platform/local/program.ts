/**
 * A child process. It is in a process group of its own, so that Ctrl-C on the terminal reaches only us and the run
 * decides when it stops. It writes into a log file and not a pipe, so that it outlives a killed controller until its
 * lease runs out or another controller adopts it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../support/error-message.js';
import { pollUntil } from '../../support/poll-until.js';
import type { StartedProgram } from '../platform.js';
import { startTicks } from '../proc-stat.js';

/** Our own process, as the local platform needs it. `cli/host.ts` provides it, so that nothing here uses `process`. */
export interface ProcessHost {
  /** The Node that runs us, and the programs. */
  readonly execPath: string;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** kill(2): a negative number names a process group; signal 0 only asks. False when there is no such process. */
  kill(pid: number, signal: NodeJS.Signals | 0): boolean;
}

export class PlatformError extends Error {
  override readonly name = 'PlatformError';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

export interface ProgramSpec {
  readonly role: StartedProgram['role'];
  readonly name: string;
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** A program of the user. */
export interface CommandSpec extends Pick<ProgramSpec, 'role' | 'name' | 'env' | 'logFile'> {
  readonly command: readonly string[];
}

export interface Program extends StartedProgram {
  readonly logFile: string;
  /** How it ended: a signal or `exit code 3`. Undefined while it runs. */
  readonly exit: () => string | undefined;
  readonly exited: Promise<void>;
}

/** @throws PlatformError DEPLOY_SPAWN */
export async function startProgram(spec: ProgramSpec | CommandSpec, host: ProcessHost): Promise<Program> {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  // It holds addresses of the run, and what the servers print.
  const log = openSync(spec.logFile, 'a', 0o600);
  const [file = '', ...args] = 'command' in spec ? spec.command : [host.execPath, spec.entry, ...spec.args];
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...host.env, ...spec.env },
  });
  closeSync(log);
  await spawned(child, spec);
  let exit: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = signal ?? `exit code ${code}`;
      resolve();
    });
  });
  const pid = child.pid ?? 0;
  return {
    role: spec.role,
    name: spec.name,
    pid,
    startTicks: startTicks(pid),
    logFile: spec.logFile,
    exit: () => exit,
    exited,
  };
}

function spawned(child: ChildProcess, spec: ProgramSpec | CommandSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new PlatformError(
          'DEPLOY_SPAWN',
          `${spec.name}: could not be started: ${error.message}`,
          'command' in spec
            ? 'is it there, and may it be run? A relative path starts at the current folder'
            : 'is there a limit on processes or memory? `swarmbench doctor` checks',
        ),
      );
    });
  });
}

const LISTEN_POLL_MS = 20;
const HEALTH_POLL_MS = 100;

/** The line that a server prints when it is ready. */
const listening = z.object({
  listening: z.object({
    url: z.url().transform((url) => new URL(url)),
    /** Its URLs by transport. */
    endpoints: z.record(z.string(), z.string()),
  }),
});
type Listening = z.infer<typeof listening>['listening'];

/**
 * Waits for the line `{"listening":{...}}` in the program's log.
 * @throws PlatformError DEPLOY_START when the program ends or the time is over, with the last lines of its log
 */
export function waitUntilListening(program: Program, budgetMs: number, signal: AbortSignal): Promise<Listening> {
  const look = (): Listening | undefined => {
    const found = listeningLine(readFileSync(program.logFile, 'utf8'));
    if (found !== undefined) return found;
    const exit = program.exit();
    if (exit !== undefined) throw notStarted(program, `ended with ${exit} before it listened`);
    return undefined;
  };
  const late = (): PlatformError => notStarted(program, `not listening after ${budgetMs / 1000} s`);
  return pollUntil(look, { everyMs: LISTEN_POLL_MS, withinMs: budgetMs, late }, signal);
}

function listeningLine(log: string): Listening | undefined {
  for (const line of log.split('\n').slice(0, -1)) {
    if (!line.startsWith('{"listening"')) continue;
    const parsed = listening.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data.listening;
  }
  return undefined;
}

/** Polls `/healthz` until it answers 200. @throws PlatformError DEPLOY_START */
export async function waitUntilHealthy(
  program: Program,
  url: URL,
  budgetMs: number,
  signal: AbortSignal,
): Promise<void> {
  const health = new URL('/healthz', url);
  let last = 'no answer';
  const late = (): PlatformError =>
    notStarted(program, `not healthy after ${budgetMs / 1000} s (${health.href}: ${last})`);
  const look = async (): Promise<boolean> => {
    try {
      const answer = await fetch(health, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await answer.body?.cancel();
      if (answer.ok) return true;
      last = `HTTP ${answer.status}`;
    } catch (error) {
      signal.throwIfAborted();
      last = messageOf(error);
    }
    if (program.exit() !== undefined) throw late();
    return false;
  };
  await pollUntil(look, { everyMs: HEALTH_POLL_MS, withinMs: budgetMs, late }, signal);
}

function notStarted(program: Program, problem: string): PlatformError {
  return new PlatformError(
    'DEPLOY_START',
    `${program.name}: ${problem}${logTail(program)}`,
    `the whole log is ${program.logFile}`,
  );
}

const LOG_LINES_SHOWN = 15;

/** The end of a program's log, to be appended to a message; empty when the log is. */
export function logTail(program: Program): string {
  const tail = readFileSync(program.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n    ');
  return tail === '' ? '' : `; its last output:\n    ${tail}`;
}

const TERM_BUDGET_MS = 5_000;
const KILL_BUDGET_MS = 2_000;

/**
 * Ends programs with everything they have started: SIGTERM, some time, SIGKILL, some time; at most 7 s in all.
 * Returns the names of those that still run, normally none.
 */
export async function endPrograms(programs: readonly Program[], host: ProcessHost): Promise<readonly string[]> {
  for (const program of running(programs)) host.kill(-program.pid, 'SIGTERM');
  await allExited(programs, TERM_BUDGET_MS);
  // Every group, also when its first process is gone: what that has started may still run.
  for (const program of programs) host.kill(-program.pid, 'SIGKILL');
  await allExited(programs, KILL_BUDGET_MS);
  return running(programs).map((program) => program.name);
}

function running(programs: readonly Program[]): readonly Program[] {
  return programs.filter((program) => program.exit() === undefined);
}

async function allExited(programs: readonly Program[], budgetMs: number): Promise<void> {
  const budget = new AbortController();
  const all = Promise.all(programs.map((program) => program.exited));
  await Promise.race([all, sleep(budgetMs, undefined, { signal: budget.signal }).catch(() => undefined)]);
  budget.abort();
}
