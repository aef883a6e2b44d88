import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  addComparisonOptions,
  type ComparisonOptions,
  compareAll,
  readSideOrFail,
  refuseMissingFolder,
  showComparison,
} from '../comparison.js';
import { RESULTS_FOLDER } from '../defaults.js';
import type { Host } from '../host.js';
import type { CliCommand } from './command.js';

interface Options extends ComparisonOptions {
  readonly out: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export const compare: CliCommand = {
  examples: [
    'swarmbench compare 20261120-211402-ci-x7k2 latest',
    'swarmbench compare label:commit=abc label:commit=def --rule "latency.p95 +10% and +2ms"',
    'swarmbench compare main/ pr/ --rules rules.txt --inconclusive pass --junit compare.xml',
    'swarmbench compare base/report.json new/report.json --json',
  ],
  declare(command, host, finish) {
    command
      .argument(
        '<base>',
        'runs to compare with: run ids, folders, report.json files, label:KEY=VALUE; with commas between',
      )
      .argument('<new...>', 'runs to compare, each of these sides by itself')
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--junit <file>', 'copy the JUnit report to this file')
      .option('--markdown <file>', 'copy the Markdown to this file')
      .option('--json', 'print comparison.json on stdout and nothing else');
    addComparisonOptions(command).action(async (base: string, changed: readonly string[], options: Options) => {
      finish(await compareSidesOf(base, changed, options, host));
    });
  },
};

async function compareSidesOf(
  baseName: string,
  changedNames: readonly string[],
  options: Options,
  host: Host,
): Promise<number> {
  refuseMissingFolder('--junit', options.junit, host);
  refuseMissingFolder('--markdown', options.markdown, host);
  const results = resolve(host.cwd, options.out);
  const context = { host, results };
  const base = await readSideOrFail(baseName, context);
  const changed = [];
  for (const name of changedNames) changed.push(await readSideOrFail(name, context));
  const document = await compareAll(base, changed, options, context);
  const folder = join(results, document.id);
  if (options.junit !== undefined) copyFileSync(join(folder, 'junit.xml'), resolve(host.cwd, options.junit));
  if (options.markdown !== undefined) copyFileSync(join(folder, 'comparison.md'), resolve(host.cwd, options.markdown));
  if (options.json === true) host.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  else showComparison(document, context, options.color);
  return document.exitCode;
}
