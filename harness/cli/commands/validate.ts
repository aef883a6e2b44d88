import { listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { loadPlan } from '../../../scenarios/schema/load-plan.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { exitCode } from '../exit-code.js';
import { addLoadOptions, type LoadOptions, planRequest } from '../load-options.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions {
  readonly json?: boolean;
  readonly color: boolean;
}

export const validate: CliCommand = {
  examples: [
    'swarmbench validate',
    'swarmbench validate ./my-scenario.yaml other.yaml',
    'swarmbench validate ci --set stages.load.duration=30s',
  ],
  declare(command, host, finish) {
    command.argument('[scenario...]', 'names or files; all that come with swarmbench when none is given');
    addLoadOptions(command);
    command.option('--json', 'one JSON object on stdout').action((named: readonly string[], options: Options) => {
      const scenarios = named.length > 0 ? named : listScenarios().map(({ name }) => name);
      const results = scenarios.map((scenario) => ({
        scenario,
        result: loadPlan(planRequest(scenario, options, host)),
      }));
      const valid = results.every(({ result }) => result.ok);
      if (options.json === true) {
        host.stdout.write(
          `${JSON.stringify(
            {
              valid,
              scenarios: results.map(({ scenario, result }) => ({
                scenario,
                problems: result.ok ? [] : result.problems,
                warnings: result.ok ? result.plan.warnings : [],
              })),
            },
            undefined,
            2,
          )}\n`,
        );
      } else {
        const style = styleFor(host.stdout, host.env, options.color);
        for (const { scenario, result } of results) {
          if (!result.ok)
            host.stdout.write(
              `${style.red('invalid')}  ${scenario}\n  ${formatProblems(result.problems).replaceAll('\n', '\n  ')}\n`,
            );
          else
            host.stdout.write(
              `${style.green('valid')}    ${scenario}${result.plan.warnings.map((warning) => `\n  ${style.yellow('warning:')} ${warning}`).join('')}\n`,
            );
        }
      }
      finish(valid ? exitCode.passed : exitCode.usage);
    });
  },
};
