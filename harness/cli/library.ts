/**
 * What `import { run, compare } from 'mcp-swarm-bench'` gives: commands as functions, for test runners and programs.
 * Options are those of the command line, in camelCase; its checks, defaults and files are the same.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { execute } from './cli.js';
import { CliError, toCliError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import { guestHost } from './host.js';
import type {
  CommonOptions,
  CompareOptions,
  ComparisonDocument,
  Outcome,
  Report,
  RunOptions,
  RunResult,
  Scenario,
  SuiteOutcome,
} from './library-types.js';

export type { CompareOptions, ComparisonDocument, Outcome, Report, RunOptions, RunResult, Scenario, SuiteOutcome };
/** Has a stable `code`, and mostly a `hint`; `where` names files and lines, `exitCode` is that of the command line. */
export { CliError as SwarmbenchError };

/**
 * Runs scenarios one after the other and writes their reports.
 * @param scenarios the name of a scenario, its file, the scenario itself as an object, or several of them
 * @throws SwarmbenchError when nothing could be run: a wrong option, an invalid scenario, a folder that is read-only
 */
export async function run(
  scenarios: string | Scenario | readonly (string | Scenario)[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { cwd, env, signal, onProgress, command, arguments: toolArguments, ...named } = options;
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-run-'));
  try {
    const list: readonly (string | Scenario)[] = Array.isArray(scenarios) ? scenarios : [scenarios];
    const files = list.map((one, at) => (typeof one === 'string' ? one : writeScenario(one, join(folder, String(at)))));
    const set = Object.entries(options.set ?? {}).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    const given = { ...named, set, arguments: toolArguments === undefined ? undefined : JSON.stringify(toolArguments) };
    const args = ['run', ...files, '--json', ...argsOf(given), ...(command === undefined ? [] : ['--', ...command])];
    const printed = JSON.parse(await outputOf(args, { cwd, env, signal, onProgress })) as Outcome | RunResult;
    return 'runs' in printed ? printed : { exitCode: printed.exitCode, runs: [printed] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Compares runs with others. Sides are named as on the command line: run ids, folders, `report.json` files, labels.
 * @throws SwarmbenchError when the sides cannot be compared, with everything they differ in
 */
export async function compare(
  base: string,
  changed: string | readonly string[],
  options: CompareOptions = {},
): Promise<ComparisonDocument> {
  const { cwd, env, signal, onProgress, ...named } = options;
  const sides = typeof changed === 'string' ? [changed] : changed;
  const args = ['compare', base, ...sides, '--json', ...argsOf(named)];
  return JSON.parse(await outputOf(args, { cwd, env, signal, onProgress })) as ComparisonDocument;
}

/** The report of a run. @param run its folder, or its `report.json`; `folder` of an `Outcome` is one */
export function readReport(run: string): Report {
  const path = resolve(run);
  return JSON.parse(readFileSync(statSync(path).isDirectory() ? join(path, 'report.json') : path, 'utf8')) as Report;
}

/** JSON is YAML. */
function writeScenario(scenario: Scenario, stem: string): string {
  writeFileSync(`${stem}.yaml`, JSON.stringify(scenario));
  return `${stem}.yaml`;
}

/** `{ timeScale: 0.1, label: { a: 'b' } }` is `--time-scale 0.1 --label a=b`. */
function argsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(options).flatMap(([name, value]): readonly string[] => {
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    if (value === true) return [option];
    if (Array.isArray(value)) return value.map((one) => `${option}=${String(one)}`);
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).map(([key, one]) => `${option}=${key}=${String(one)}`);
    return [`${option}=${String(value)}`];
  });
}

/** What a command writes to stdout. @throws CliError when it writes nothing */
async function outputOf(
  args: readonly string[],
  { cwd, env, signal, onProgress }: { readonly [Key in keyof CommonOptions]: CommonOptions[Key] | undefined },
): Promise<string> {
  let written = '';
  const collect = (text: string): void => {
    written += text;
  };
  const host = guestHost({ args, cwd, env, signal, onStdout: collect, onStderr: onProgress ?? (() => undefined) });
  try {
    await execute(host);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw toCliError(error);
    throw new CliError({ code: 'USAGE', message: error.message.replace(/^error: /, ''), exitCode: exitCode.usage });
  }
  return written;
}
