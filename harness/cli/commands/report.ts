import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRunId } from '../../log/run-id.js';
import { artifacts, writeReport } from '../../report/write-report.js';
import { CliError } from '../cli-error.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addRemoteOptions, fetchRuns, type RemoteOptions } from '../remote/fetch-runs.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends RemoteOptions {
  readonly out: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export const report: CliCommand = {
  examples: [
    'swarmbench report',
    'swarmbench report 20261120-211402-smoke-x7k2',
    'swarmbench report ./elsewhere/20261120-211402-smoke-x7k2 --json',
    'swarmbench report http://10.0.0.5:8888/runs/20261120-211402-smoke-x7k2',
  ],
  declare(command, host, finish) {
    addRemoteOptions(command)
      .argument(
        '[run]',
        'run id, the folder of a run, or its URL at a harness elsewhere, which brings it here',
        'latest',
      )
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--json', 'print the report as JSON on stdout')
      .action(async (run: string, options: Options) => {
        const folder = isUrl(run) ? await fetchByUrl(run, options, host) : findRun(run, options, host);
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

function isUrl(run: string): boolean {
  return /^https?:\/\//.test(run);
}

/** The run at `http://HOST:PORT/runs/ID`, with or without the name of one of its files. @returns its folder here */
async function fetchByUrl(url: string, options: Options, host: Host): Promise<string> {
  const id = URL.canParse(url) ? /^\/runs\/([^/]+)/.exec(new URL(url).pathname)?.[1] : undefined;
  if (id === undefined || !isRunId(id))
    throw new CliError({
      code: 'USAGE',
      message: `${url} is not the URL of a run`,
      hint: 'write it like http://10.0.0.5:8888/runs/20261120-211402-smoke-x7k2',
    });
  const results = resolve(host.cwd, options.out);
  await fetchRuns([id], { ...options, controller: url }, results, host);
  return join(results, id);
}

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
