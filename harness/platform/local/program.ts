import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { StartedProgram } from '../platform.js';
import { startTicks } from '../proc-stat.js';

/**
 * One child process: started in a process group of its own (Ctrl-C on the terminal reaches only us; the children stop
 * when the run says so), writing into a log file rather than a pipe, so that it outlives a killed controller until its
 * lease runs out or a new controller adopts it.
 */

const POLL_MS = 20;
const LOG_LINES_SHOWN = 15;

export interface ProgramSpec {
  readonly role: StartedProgram['role'];
  readonly name: string;
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Program extends StartedProgram {
  readonly logFile: string;
  /** Undefined while it runs. */
  readonly exit: () => string | undefined;
  readonly exited: Promise<void>;
}

/** @throws PlatformError `DEPLOY_SPAWN` */
export async function startProgram(spec: ProgramSpec, host: ProcessHost): Promise<Program> {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const child = spawn(host.execPath, [spec.entry, ...spec.args], {
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

function spawned(child: ChildProcess, spec: ProgramSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new PlatformError(
          'DEPLOY_SPAWN',
          `${spec.name}: could not be started: ${error.message}`,
          'is there a limit on processes or memory? `swarmbench doctor` looks',
        ),
      );
    });
  });
}

/** What a server says of itself when it is ready. */
const listening = z.object({
  listening: z.object({
    url: z.url().transform((url) => new URL(url)),
    /** Its URL by transport. */
    endpoints: z.record(z.string(), z.string()),
  }),
});
type Listening = z.infer<typeof listening>['listening'];

/**
 * Waits for the line `{"listening":{...}}` in the program's log.
 *
 * @throws PlatformError `DEPLOY_START` when it ends first or the budget is over, with the last lines of its log
 */
export async function waitUntilListening(program: Program, budgetMs: number, signal: AbortSignal): Promise<Listening> {
  const giveUpAt = performance.now() + budgetMs;
  for (;;) {
    const said = listeningLine(readFileSync(program.logFile, 'utf8'));
    if (said !== undefined) return said;
    const exit = program.exit();
    if (exit !== undefined) throw notStarted(program, `ended with ${exit} before it listened`);
    if (performance.now() > giveUpAt) throw notStarted(program, `not listening after ${budgetMs / 1000} s`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Polls `/healthz` until it answers 200. @throws PlatformError `DEPLOY_START` */
export async function waitUntilHealthy(
  program: Program,
  url: URL,
  budgetMs: number,
  signal: AbortSignal,
): Promise<void> {
  const health = new URL('/healthz', url);
  const giveUpAt = performance.now() + budgetMs;
  let last = 'no answer';
  for (;;) {
    try {
      const answer = await fetch(health, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await answer.body?.cancel();
      if (answer.ok) return;
      last = `HTTP ${answer.status}`;
    } catch (error) {
      signal.throwIfAborted();
      last = error instanceof Error ? error.message : String(error);
    }
    if (program.exit() !== undefined || performance.now() > giveUpAt) {
      throw notStarted(program, `not healthy after ${budgetMs / 1000} s (${health.href}: ${last})`);
    }
    await sleep(POLL_MS * 5, undefined, { signal });
  }
}

function listeningLine(log: string): Listening | undefined {
  for (const line of log.split('\n').slice(0, -1)) {
    if (!line.startsWith('{"listening"')) continue;
    const parsed = listening.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data.listening;
  }
  return undefined;
}

function notStarted(program: Program, what: string): PlatformError {
  return new PlatformError(
    'DEPLOY_START',
    `${program.name}: ${what}${logTail(program)}`,
    `the whole log is ${program.logFile}`,
  );
}

/** The end of a program's log, to be put behind what is said about it; empty when it said nothing. */
export function logTail(program: Program): string {
  const tail = readFileSync(program.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n    ');
  return tail === '' ? '' : `; its last words:\n    ${tail}`;
}

/**
 * What the local platform needs of its own process; `cli/host.ts` provides it, so that nothing here touches `process`.
 */
export interface ProcessHost {
  /** The Node that runs the programs: the same one that runs us. */
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

/** Ends our own child processes with everything they started: SIGTERM, a budget, SIGKILL, a budget. */

const TERM_BUDGET_MS = 5_000;
const KILL_BUDGET_MS = 2_000;

/** Takes at most 7 s. Returns the names of those that are still there; normally none. */
export async function endPrograms(programs: readonly Program[], host: ProcessHost): Promise<readonly string[]> {
  for (const program of running(programs)) host.kill(-program.pid, 'SIGTERM');
  await allExited(programs, TERM_BUDGET_MS);
  // Every group, also when its first process is gone: what that one started may still be there.
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
