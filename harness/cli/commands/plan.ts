import { localRefusals } from '../../platform/local/refusals.js';
import { workersHere } from '../../platform/local/worker-count.js';
import { exitCode } from '../exit-code.js';
import { addLoadOptions, type LoadOptions } from '../options/load-options.js';
import { parseWholeNumber } from '../options/option-parsers.js';
import { outlineOf } from '../plan/outline.js';
import { renderOutline } from '../plan/render-outline.js';
import { plannedSteps, suiteOf } from '../suite.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions {
  readonly workers?: number;
  readonly json?: boolean;
  readonly color: boolean;
}

export const plan: CliCommand = {
  examples: [
    'swarmbench plan connection-flood',
    'swarmbench plan ./my-scenario.yaml --set workload.normal.clients=50 --json',
  ],
  takesCommand: true,
  declare(command, host, finish) {
    command.argument('<scenario>', 'name of a scenario, its file, or a suite file');
    addLoadOptions(command);
    command
      .option('--workers <n>', 'number of worker processes (default: as many as the plan needs)', parseWholeNumber)
      .option('--json', 'print one JSON object on stdout')
      .action((scenario: string, options: Options) => {
        // Of a suite, each of its runs.
        const outlines = plannedSteps(suiteOf([scenario], []), options, host).map(({ plan: made }) =>
          outlineOf(made, {
            ...workersHere(made, options.workers),
            refusals: localRefusals(made, options.workers),
          }),
        );
        const [first] = outlines;
        const style = styleFor(host.stdout, host.env, options.color);
        if (options.json === true)
          host.stdout.write(`${JSON.stringify(outlines.length === 1 ? first : { runs: outlines }, undefined, 2)}\n`);
        else host.stdout.write(outlines.map((outline) => renderOutline(outline, style)).join('\n'));
        finish(outlines.every(({ refusals }) => refusals.length === 0) ? exitCode.passed : exitCode.usage);
      });
  },
};
