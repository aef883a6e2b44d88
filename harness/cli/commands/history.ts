import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Argument } from 'commander';
import { addToHistory, entryOf, type HistoryEntry, readHistory } from '../../overview/history.js';
import { changeText, renderHistory, trendsOf } from '../../overview/history-page.js';
import { reportSchema } from '../../report/schema.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { redactedCommand } from '../command-line.js';
import { refuseMissingFolder } from '../comparison.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { packageVersion } from '../package-root.js';
import { latency, rate } from '../terminal/quantity.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly file?: string;
  readonly scenario?: string;
  readonly output: string;
  readonly json?: boolean;
}

const actions = ['add', 'show', 'html'] as const;
/** The last lines of `show`. */
const SHOWN = 20;

export const history: CliCommand = {
  examples: [
    'swarmbench history add                          the last run',
    'swarmbench history add 20261120-211402-ci-x7k2 --file benchmarks/history.jsonl',
    'swarmbench history show --scenario ci',
    'swarmbench history html --output history.html',
  ],
  declare(command, host, finish) {
    command
      .addArgument(new Argument('<action>', 'what to do').choices(actions))
      .argument('[run...]', 'add: run ids, run folders or report.json files (default: latest)')
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--file <file>', 'file with the history (default: history.jsonl in the folder with the results)')
      .option('--scenario <name>', 'show, html: only this scenario')
      .option('--output <file>', 'html: write the page to this file', 'history.html')
      .option('--json', 'add, show: print one JSON object on stdout')
      .action((action: (typeof actions)[number], runs: readonly string[], options: Options) => {
        const file = resolve(host.cwd, options.file ?? join(options.out, 'history.jsonl'));
        if (action === 'add') add(file, runs.length > 0 ? runs : ['latest'], options, host);
        else if (action === 'show') show(read(file, options), options, host);
        else page(read(file, options), options, host);
        finish(exitCode.passed);
      });
  },
};

function add(file: string, runs: readonly string[], options: Options, host: Host): void {
  const entries = runs.map((run) => entryOfRun(run, options, host));
  refuseMissingFolder('--file', file, host);
  const added = reading(() => addToHistory(file, entries));
  if (options.json === true) {
    host.stdout.write(`${JSON.stringify({ file, added }, undefined, 2)}\n`);
    return;
  }
  const known = entries.filter((entry) => !added.includes(entry)).map(({ runId }) => `${runId} is in it already\n`);
  host.stdout.write(`${added.map(({ runId }) => `added ${runId}\n`).join('')}${known.join('')}history: ${file}\n`);
}

/** @throws CliError RUN_NOT_FOUND */
function entryOfRun(run: string, { out }: Options, { cwd }: Host): HistoryEntry {
  const candidates = [resolve(cwd, out, run, 'report.json'), resolve(cwd, run, 'report.json'), resolve(cwd, run)];
  const found = candidates.find((path) => path.endsWith('.json') && existsSync(path));
  const parsed = found === undefined ? undefined : reportSchema.safeParse(parseJson(readFileSync(found, 'utf8')));
  if (parsed?.success === true) return entryOf(parsed.data);
  throw new CliError({
    code: 'RUN_NOT_FOUND',
    message: found === undefined ? `there is no report of ${run}` : `${found} is not a report of this version`,
    where: found === undefined ? `there is no report.json in ${candidates.slice(0, 2).join(' or ')}` : undefined,
    hint: '`swarmbench report RUN` writes the report of a run again, from its log',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws CliError HISTORY_UNREADABLE */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CliError({
      code: 'HISTORY_UNREADABLE',
      message: messageOf(error),
      hint: 'each line is one JSON object; remove the line, or name another file with --file',
    });
  }
}

function read(file: string, { scenario }: Options): readonly HistoryEntry[] {
  const entries = reading(() => readHistory(file)).filter(
    (entry) => scenario === undefined || entry.scenario === scenario,
  );
  if (entries.length > 0) return entries;
  throw new CliError({
    code: 'HISTORY_EMPTY',
    message: `${file} has no run${scenario === undefined ? '' : ` of ${scenario}`}`,
    hint: '`swarmbench history add` adds the last run',
  });
}

function show(entries: readonly HistoryEntry[], { json }: Options, host: Host): void {
  const trends = trendsOf(entries);
  if (json === true) {
    const changes = trends.flatMap(({ scenario, figures }) =>
      figures.flatMap(({ name, changes: found, points }) =>
        found.map((change) => ({ scenario, figure: name, ...change, runId: points[change.index]?.entry.runId })),
      ),
    );
    host.stdout.write(`${JSON.stringify({ entries, changes }, undefined, 2)}\n`);
    return;
  }
  const rows = entries.slice(-SHOWN).map(({ runId, verdict, figures, labels }) => [
    runId,
    verdict,
    figures.throughputPerSecond === null ? '–' : rate(figures.throughputPerSecond),
    ...Object.entries(figures.latencyMs).map(([name, ms]) => `${name} ${ms === null ? '–' : latency(ms)}`),
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ]);
  const hints = trends.flatMap(({ scenario, figures }) =>
    figures.flatMap(({ name, changes, points, format }) =>
      changes.map(
        (change) =>
          `hint: ${name} of ${scenario} seems to have changed ${changeText(change, format)} ` +
          `with ${points[change.index]?.entry.runId ?? ''}`,
      ),
    ),
  );
  const more = entries.length > SHOWN ? [`the last ${SHOWN} of ${entries.length} runs`] : [];
  host.stdout.write(`${[...table(rows), ...more, ...hints].join('\n')}\n`);
}

function page(entries: readonly HistoryEntry[], { output }: Options, host: Host): void {
  refuseMissingFolder('--output', output, host);
  const file = resolve(host.cwd, output);
  writeFileSync(file, renderHistory(trendsOf(entries), packageVersion(), redactedCommand(host.args)));
  const shown = relative(host.cwd, file);
  host.stdout.write(`history: ${shown.startsWith('..') ? file : shown}\n`);
}
