import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './program.js';
import { type RunFiles, readRun } from './run-files.js';
import { tempFolder } from './temp-folder.js';

/** A scenario as its file says it; JSON is YAML. */
export type ScenarioFile = Readonly<Record<string, unknown>>;

export interface RunRequest {
  readonly scenario: ScenarioFile;
  readonly target?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Finished extends RunFiles {
  readonly code: number | NodeJS.Signals;
  readonly output: string;
}

const command = 'harness/cli/main.js';

/** Runs the command line as a user does and waits for its end. */
export async function swarmbench(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const program = startProgram(command, args, env);
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

/** Starts a run; its results go to `results`. */
export function startRun({ scenario, target, args = [], env = {} }: RunRequest): {
  readonly program: Program;
  readonly results: string;
  readonly file: string;
} {
  const folder = tempFolder();
  const file = writeScenario(scenario, folder);
  const results = join(folder, 'results');
  const where = target === undefined ? [] : ['--target', target];
  return { program: startProgram(command, ['run', file, ...where, '--out', results, ...args], env), results, file };
}

/** Runs a scenario to its end and reads what it left. */
export async function run(request: RunRequest): Promise<Finished> {
  const { program, results } = startRun(request);
  const code = await program.ended;
  const output = `${program.stdout()}\n${program.stderr()}`;
  try {
    return { ...readRun(results), code, output };
  } catch (cause) {
    throw new Error(`the run left no report (exit code ${code}):\n${output}`, { cause });
  }
}

export function writeScenario(scenario: ScenarioFile, folder: string = tempFolder()): string {
  const file = join(folder, `${String(scenario.name ?? 'scenario')}.yaml`);
  writeFileSync(file, JSON.stringify(scenario, null, 2));
  return file;
}

/** One client that calls `echo`, for `seconds`; what a test is about goes on top. */
export function simpleScenario(profile: ScenarioFile, seconds: number, more: ScenarioFile = {}): ScenarioFile {
  return {
    name: 'test',
    workload: {
      caller: {
        profile: 'low-load',
        clients: 1,
        operations: [{ tool: 'echo', arguments: { message: 'hi' } }],
        ...profile,
      },
    },
    stages: [{ name: 'steady', duration: `${seconds}s` }],
    drain: '2s',
    ...more,
  };
}

/**
 * Counts every operation, however busy the machine is: all of them fall due in the first half of `seconds`, so that
 * delayed ones are sent before the stage ends, and every answer is waited for.
 */
export function countedScenario(profile: ScenarioFile, seconds: number, more: ScenarioFile = {}): ScenarioFile {
  return simpleScenario({ timeout: '60s', ...profile }, seconds, {
    stages: [{ name: 'steady', load: { steps: ['100%', '0%'], hold: `${seconds / 2}s` } }],
    drain: '60s',
    ...more,
  });
}
