/** Runs that are in the results folder of a harness elsewhere: their list, and their files brought here. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.js';
import { DEFAULT_STACK } from '../defaults.js';
import type { Host } from '../host.js';
import { styleFor } from '../terminal/style.js';
import type { HarnessApi, RemoteRun } from './harness-api.js';

export interface RemoteOptions {
  readonly controller?: string;
  readonly on?: 'swarm';
  readonly stack: string;
  readonly tokenFile?: string;
  readonly controllerCa?: string;
  readonly color: boolean;
}

export function addRemoteOptions(command: Command): Command {
  return command
    .option('--controller <url>', 'URL of a running `swarmbench serve`')
    .addOption(new Option('--on <platform>', 'swarm: the harness of a stack').choices(['swarm']))
    .option('--stack <name>', 'with --on swarm: name of the stack', DEFAULT_STACK)
    .option('--token-file <file>', 'file with a token of that harness (default: the one `swarmbench up` created)')
    .option('--controller-ca <file>', 'trust the certificate authorities in this PEM file for an https harness');
}

/** Newest first. @throws CliError */
export async function remoteRuns(options: RemoteOptions, host: Host): Promise<readonly RemoteRun[]> {
  return await withHarness(options, host, (api, signal) => api.runs(signal));
}

/**
 * Brings runs into the results folder, each whole or not at all.
 * @param wanted ids; none: every finished run that is not here
 * @returns the ids of those that were brought
 * @throws CliError RUN_NOT_FOUND, RUN_NOT_FINISHED, and what the harness answers
 */
export async function fetchRuns(
  wanted: readonly string[],
  options: RemoteOptions,
  results: string,
  host: Host,
): Promise<readonly string[]> {
  return await withHarness(options, host, async (api, signal) => {
    const there = new Map((await api.runs(signal)).map((run) => [run.runId, run]));
    const ids = wanted.length > 0 ? wanted : [...there.values()].filter(isFinished).map(({ runId }) => runId);
    for (const id of ids) refuseUnfinished(id, there.get(id));
    const missing = wanted.length > 0 ? ids : ids.filter((id) => !existsSync(join(results, id)));
    mkdirSync(results, { recursive: true });
    for (const [index, id] of missing.entries()) {
      host.stderr.write(`fetching ${id} (${index + 1} of ${missing.length})\n`);
      await fetchOne(api, id, results, host, signal);
    }
    return missing;
  });
}

function isFinished({ state }: RemoteRun): boolean {
  return state.kind === 'finished';
}

function refuseUnfinished(id: string, run: RemoteRun | undefined): void {
  if (run === undefined)
    throw new CliError({
      code: 'RUN_NOT_FOUND',
      message: `the harness has no run ${id}`,
      hint: '`swarmbench results list` with the same options shows its runs',
    });
  if (!isFinished(run))
    throw new CliError({
      code: 'RUN_NOT_FINISHED',
      message: `run ${id} is not over (${run.state.kind})`,
      hint: 'fetch it when it is',
    });
}

async function fetchOne(api: HarnessApi, id: string, results: string, host: Host, signal: AbortSignal): Promise<void> {
  const { downloadRun } = await import('./remote-conductor.js');
  const draft = join(results, `.fetching-${id}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  try {
    const { problems } = await downloadRun(api, id, draft, signal);
    for (const problem of problems) host.stderr.write(`note: ${problem}\n`);
    rmSync(join(results, id), { recursive: true, force: true });
    renameSync(draft, join(results, id));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function withHarness<T>(
  { controller, stack, tokenFile, controllerCa, color }: RemoteOptions,
  host: Host,
  use: (api: HarnessApi, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Loaded here, because the engine's client takes long to load.
  const { connectHarness } = await import('./connect-harness.js');
  const style = styleFor(host.stderr, host.env, color);
  const where = { stack, controller, tokenFile, controllerCa, deploys: false, withRegistryAuth: false };
  const api = await connectHarness({ ...where, quiet: true, style }, host);
  const interrupted = new AbortController();
  const ignore = host.onInterrupt((signal) => interrupted.abort(new Error(signal)));
  try {
    return await use(api, interrupted.signal);
  } finally {
    ignore();
  }
}
