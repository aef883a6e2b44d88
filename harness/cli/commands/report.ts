import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { artifacts, writeReport } from '../../report/write-report.js';
import { CliError } from '../cli-error.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export const report: CliCommand = {
  examples: [
    'swarmbench report',
    'swarmbench report 20261120-211402-smoke-x7k2',
    'swarmbench report ./elsewhere/20261120-211402-smoke-x7k2 --json',
  ],
  declare(command, host, finish) {
    command
      .argument('[run]', 'run id, or the folder of a run', 'latest')
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--json', 'print the report as JSON on stdout')
      .action(async (run: string, options: Options) => {
        const folder = findRun(run, options, host);
        const written = await writeReport(folder);
        if (options.json === true) {
          host.stdout.write(`${JSON.stringify(written, undefined, 2)}\n`);
        } else {
          const reportFile = join(folder, 'report.html');
          const style = styleFor(host.stdout, host.env, options.color);
          host.stdout.write(renderVerdict({ report: written, reportFile, failure: undefined }, style));
          host.stderr.write(`written: report.json, ${Object.keys(artifacts).join(', ')}\n`);
        }
        finish(exitCode.passed);
      });
  },
};

/** The results folder is searched first. @throws CliError RUN_NOT_FOUND */
function findRun(run: string, { out }: Options, host: Host): string {
  const candidates = [resolve(host.cwd, out, run), resolve(host.cwd, run)];
  const found = candidates.find((folder) => existsSync(join(folder, 'events.jsonl')));
  if (found !== undefined) return found;
  throw new CliError({
    code: 'RUN_NOT_FOUND',
    message: run === 'latest' ? `there is no run in ${resolve(host.cwd, out)} yet` : `there is no run ${run}`,
    where: `there is no events.jsonl in ${candidates.join(' or ')}`,
    hint: 'use --out to name the folder that holds the results of runs',
  });
}
