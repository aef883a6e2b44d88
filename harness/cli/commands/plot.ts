import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Option } from 'commander';
import { parseDuration } from '../../../scenarios/schema/grammar/units.js';
import { PLOTTED, plotRows, renderPlot } from '../../overview/plot-page.js';
import { MICROSECONDS, type NamedSpectrum, readSpectrum, SpectrumError } from '../../overview/read-spectrum.js';
import { CliError } from '../cli-error.js';
import { redactedCommand } from '../command-line.js';
import { refuseMissingFolder } from '../comparison.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues } from '../options/option-parsers.js';
import { packageVersion } from '../package-root.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly histogram: string;
  readonly threshold: readonly string[];
  readonly unit?: keyof typeof MICROSECONDS;
  readonly tag?: string;
  readonly title?: string;
  readonly output: string;
  readonly out: string;
  readonly json?: boolean;
}

export const plot: CliCommand = {
  examples: [
    'swarmbench plot latest before=20261120-211402-ci-x7k2',
    'swarmbench plot ours=results/latest theirs=wrk2.hgrm --threshold 200ms',
    'swarmbench plot a.hlog b.hlog --unit ns --output tails.html',
  ],
  declare(command, host, finish) {
    command
      .argument('<spectrum...>', 'run ids, run folders, report.json, .hgrm or .hlog files; NAME=PATH gives a name')
      .option(
        '--histogram <name>',
        'of the reports: latency, service, connect, operation/PROFILE/NAME/latency',
        'latency',
      )
      .option(
        '--threshold <duration>',
        'draw a line there, beside the thresholds of the reports (repeatable)',
        collectValues,
        [],
      )
      .addOption(
        new Option('--unit <unit>', 'of the values in .hgrm (default: ms) and .hlog (default: us)').choices(
          Object.keys(MICROSECONDS),
        ),
      )
      .option('--tag <tag>', 'intervals of an .hlog to take (default: those without a tag)')
      .option('--title <text>', 'title of the page')
      .option('--output <file>', 'write the page to this file', 'plot.html')
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--json', 'print the percentiles as JSON on stdout, and write no page')
      .action((written: readonly string[], options: Options) => {
        finish(plotAll(written, options, host));
      });
  },
};

function plotAll(written: readonly string[], options: Options, host: Host): number {
  const thresholds = options.threshold.map((text) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms <= 0)
      throw new CliError({ code: 'USAGE', message: `--threshold: \`${text}\` is no duration`, hint: 'such as 200ms' });
    return { ms, text };
  });
  refuseMissingFolder('--output', options.output, host);
  const { histogram, unit, tag } = options;
  const choices = { results: resolve(host.cwd, options.out), cwd: host.cwd, histogram, unit, tag };
  const spectra = written.map((one) => readOrFail(() => readSpectrum(one, choices)));
  if (options.json === true) {
    host.stdout.write(`${JSON.stringify(spectra.map(numbersOf), undefined, 2)}\n`);
    return exitCode.passed;
  }
  const file = resolve(host.cwd, options.output);
  const title = options.title ?? `${histogram}: ${spectra.map(({ name }) => name).join(', ')}`;
  writeFileSync(
    file,
    renderPlot({ title, spectra, thresholds, version: packageVersion(), command: redactedCommand(host.args) }),
  );
  const shown = relative(host.cwd, file);
  host.stdout.write(`${table(plotRows(spectra)).join('\n')}\nplot: ${shown.startsWith('..') ? file : shown}\n`);
  return exitCode.passed;
}

/** Latencies in ms. */
function numbersOf({ name, distribution }: NamedSpectrum): object {
  const latencyMs = PLOTTED.map((percentile) => [
    percentile === 100 ? 'max' : `p${String(percentile).replace('.', '')}`,
    distribution.getValueAtPercentile(percentile) / 1000,
  ]);
  return { name, operations: distribution.totalCount, latencyMs: Object.fromEntries(latencyMs) };
}

/** @throws CliError exit code 2 */
function readOrFail(read: () => NamedSpectrum): NamedSpectrum {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SpectrumError)) throw error;
    throw new CliError({ code: error.code, message: error.message, hint: error.hint });
  }
}
