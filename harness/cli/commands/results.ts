import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Argument } from 'commander';
import { parseSize } from '../../../scenarios/schema/grammar/units.js';
import { files } from '../../log/run-folder.js';
import { RunHistory } from '../../log/run-history.js';
import { isRunId } from '../../log/run-id.js';
import type { RunSummary } from '../../log/summary.js';
import type { Report } from '../../report/schema.js';
import { CliError } from '../cli-error.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { parseWholeNumber } from '../options/option-parsers.js';
import { addRemoteOptions, fetchRuns, type RemoteOptions, remoteRuns } from '../remote/fetch-runs.js';
import { bytes } from '../terminal/quantity.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options extends RemoteOptions {
  readonly out: string;
  readonly scenario?: string;
  readonly keep?: number;
  readonly maxSize?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const actions = ['list', 'show', 'prune', 'fetch'] as const;

export const results: CliCommand = {
  examples: [
    'swarmbench results',
    'swarmbench results show 20261120-211402-smoke-x7k2',
    'swarmbench results prune --keep 20 --max-size 500MB --dry-run',
    'swarmbench results list --controller http://10.0.0.5:8888',
    'swarmbench results fetch --on swarm                      every finished run that is not here yet',
  ],
  declare(command, host, finish) {
    addRemoteOptions(
      command
        .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
        .argument('[run...]', 'show: a run; fetch: the runs to bring here (default: all that are not here)')
        .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
        .option('--scenario <name>', 'list: only runs of this scenario')
        .option('--keep <n>', 'prune: keep so many of the newest runs', parseWholeNumber)
        .option('--max-size <size>', 'prune: keep the newest runs that fit in this, e.g. 500MB')
        .option('--dry-run', 'prune: delete nothing, and say what would be deleted')
        .option('--json', 'print one JSON object on stdout'),
    ).action(async (action: (typeof actions)[number], runs: readonly string[], options: Options) => {
      const folder = resolve(host.cwd, options.out);
      if (action === 'list') await list(folder, options, host);
      else if (action === 'show') show(folder, runs, options, host);
      else if (action === 'prune') prune(folder, options, host);
      else await fetch(folder, runs, options, host);
      finish(exitCode.passed);
    });
  },
};

function isRemote({ controller, on }: Options): boolean {
  return controller !== undefined || on !== undefined;
}

async function list(folder: string, options: Options, host: Host): Promise<void> {
  const found = isRemote(options) ? await remoteRuns(options, host) : await runsIn(folder);
  const runs = found.filter(({ scenario }) => options.scenario === undefined || scenario === options.scenario);
  const rows = runs.map(({ runId, scenario, createdAt, state }) => ({
    runId,
    scenario,
    createdAt,
    state: state.kind === 'finished' && state.verdict !== undefined ? state.verdict.kind : state.kind,
    ...(isRemote(options) ? {} : { bytes: sizeOf(join(folder, runId)) }),
  }));
  if (options.json === true) {
    host.stdout.write(`${JSON.stringify({ runs: rows }, undefined, 2)}\n`);
    return;
  }
  if (rows.length === 0) {
    host.stdout.write(isRemote(options) ? 'the harness has no run\n' : `there is no run in ${folder}\n`);
    return;
  }
  const lines = table(
    rows.map((row) => [
      row.runId,
      row.scenario,
      row.state,
      `${row.createdAt.slice(0, 19).replace('T', ' ')} UTC`,
      row.bytes === undefined ? '' : bytes(row.bytes),
    ]),
    [4],
  );
  host.stdout.write(`${lines.join('\n')}\n`);
}

/** By the names of their folders, newest first. */
async function runsIn(folder: string): Promise<readonly RunSummary[]> {
  const history = new RunHistory(folder);
  const names = existsSync(folder) ? readdirSync(folder).filter(isRunId).toSorted().toReversed() : [];
  const summaries: RunSummary[] = [];
  for (const name of names) {
    const summary = await history.get(name);
    if (summary !== undefined) summaries.push({ ...summary, runId: name });
  }
  return summaries;
}

function show(folder: string, [run = 'latest', ...others]: readonly string[], options: Options, host: Host): void {
  if (others.length > 0) throw new CliError({ code: 'USAGE', message: 'show takes one run' });
  const file = join(folder, run, 'report.json');
  if (!existsSync(file))
    throw new CliError({
      code: 'RUN_NOT_FOUND',
      message: `there is no report of ${run} in ${folder}`,
      hint: '`swarmbench results` lists the runs; `swarmbench report RUN` writes the report of one again',
    });
  const text = readFileSync(file, 'utf8');
  if (options.json === true) {
    host.stdout.write(text);
    return;
  }
  const report = JSON.parse(text) as Report;
  const page = relative(host.cwd, join(folder, run, 'report.html'));
  host.stdout.write(
    renderVerdict({ report, reportFile: page, failure: undefined }, styleFor(host.stdout, host.env, options.color)),
  );
}

async function fetch(folder: string, runs: readonly string[], options: Options, host: Host): Promise<void> {
  if (!isRemote(options))
    throw new CliError({
      code: 'USAGE',
      message: 'fetch brings runs of a harness elsewhere, and none is named',
      hint: 'swarmbench results fetch --controller URL, or --on swarm',
    });
  const fetched = await fetchRuns(runs, options, folder, host);
  if (options.json === true) host.stdout.write(`${JSON.stringify({ fetched }, undefined, 2)}\n`);
  else host.stdout.write(fetched.length === 0 ? 'every finished run is here already\n' : `${fetched.join('\n')}\n`);
}

/** A run, or a page over several runs (`suite-`, `compare-`, `capacity-`), by its time. */
const ENTRY = /^(?:[a-z]+-)?(\d{8}-\d{6}-[a-z0-9-]+)$/;
/** The lease of a run that is on is touched every second. */
const LEASE_MS = 60_000;

/** The newest runs stay, and pages that are no older than the oldest of them. */
function prune(folder: string, { keep, maxSize, dryRun, json }: Options, host: Host): void {
  const most = maxSize === undefined ? undefined : parseSize(maxSize);
  if ((keep === undefined && maxSize === undefined) || (maxSize !== undefined && most === undefined))
    throw new CliError({
      code: 'USAGE',
      message: maxSize === undefined ? 'prune needs to know what to keep' : `--max-size: \`${maxSize}\` is no size`,
      hint: 'swarmbench results prune --keep 20, or --max-size 500MB',
    });
  const entries = existsSync(folder) ? readdirSync(folder).filter((name) => ENTRY.test(name)) : [];
  const runs = entries.filter(isRunId).toSorted().toReversed();
  let [kept, size] = [0, 0];
  const deleted = runs.filter((run) => {
    if (isOn(join(folder, run))) return false;
    size += sizeOf(join(folder, run));
    const fits = kept < (keep ?? Infinity) && size <= (most ?? Infinity);
    if (fits) kept += 1;
    return !fits;
  });
  const [oldest = ''] = runs.filter((run) => !deleted.includes(run)).toReversed();
  const pages = entries.filter((name) => !isRunId(name) && (ENTRY.exec(name)?.[1] ?? '') < oldest);
  const all = [...deleted, ...(deleted.length > 0 ? pages : [])];
  const freed = all.reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
  if (dryRun !== true) for (const name of all) rmSync(join(folder, name), { recursive: true, force: true });
  if (json === true) {
    host.stdout.write(`${JSON.stringify({ deleted: all, bytes: freed, dryRun: dryRun === true }, undefined, 2)}\n`);
    return;
  }
  const lines = all.map((name) => `${dryRun === true ? 'would delete' : 'deleted'} ${name}\n`);
  host.stdout.write(`${lines.join('')}${runs.length - deleted.length} runs stay, ${bytes(freed)} freed\n`);
}

function isOn(folder: string): boolean {
  const lease = statSync(join(folder, files.lease), { throwIfNoEntry: false });
  return lease !== undefined && Date.now() - lease.mtimeMs < LEASE_MS;
}

function sizeOf(path: string): number {
  const found = readdirSync(path, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
