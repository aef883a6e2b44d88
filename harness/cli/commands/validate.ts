import { listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { loadPlan, type PlanResult } from '../../../scenarios/schema/load-plan.js';
import { readSuite } from '../../../scenarios/schema/suite.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, planRequest } from '../options/load-options.js';
import { withStep } from '../suite.js';
import { type Style, styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions {
  readonly json?: boolean;
  readonly color: boolean;
}

interface Validated {
  readonly scenario: string;
  readonly result: PlanResult;
}

export const validate: CliCommand = {
  examples: [
    'swarmbench validate',
    'swarmbench validate ./my-scenario.yaml other.yaml',
    'swarmbench validate ci --set stages.load.duration=30s',
  ],
  takesCommand: true,
  declare(command, host, finish) {
    command.argument(
      '[scenario...]',
      'names of scenarios, their files, or suite files (default: all that come with swarmbench)',
    );
    addLoadOptions(command);
    command.option('--json', 'print one JSON object on stdout').action((given: readonly string[], options: Options) => {
      const scenarios = given.length > 0 ? given : listScenarios().map(({ name }) => name);
      const results = scenarios.flatMap((scenario) => validated(scenario, options, host));
      const valid = results.every(({ result }) => result.ok);
      if (options.json === true) {
        host.stdout.write(`${JSON.stringify({ valid, scenarios: results.map(jsonOf) }, undefined, 2)}\n`);
      } else {
        const style = styleFor(host.stdout, host.env, options.color);
        host.stdout.write(results.map((validated) => textOf(validated, style)).join(''));
      }
      finish(valid ? exitCode.passed : exitCode.usage);
    });
  },
};

/** Of a suite, each of its runs. */
function validated(scenario: string, options: Options, host: Host): readonly Validated[] {
  const suite = readSuite(scenario);
  if (suite === undefined) return [{ scenario, result: loadPlan(planRequest(scenario, options, host)) }];
  if (!suite.ok) return [{ scenario, result: suite }];
  return suite.suite.steps.map((step) => {
    const place = Object.entries(step.axes).map(([axis, value]) => `, ${axis} ${value}`);
    const result = loadPlan(planRequest(step.scenario, withStep(options, step), host));
    return { scenario: `${scenario}: ${step.title ?? step.scenario}${place.join('')}`, result };
  });
}

function jsonOf({ scenario, result }: Validated): object {
  return {
    scenario,
    problems: result.ok ? [] : result.problems,
    warnings: result.ok ? result.plan.warnings : [],
  };
}

function textOf({ scenario, result }: Validated, style: Style): string {
  if (!result.ok)
    return `${style.red('invalid')}  ${scenario}\n  ${formatProblems(result.problems).replaceAll('\n', '\n  ')}\n`;
  const warnings = result.plan.warnings.map((warning) => `  ${style.yellow('warning:')} ${warning}\n`);
  return `${style.green('valid')}    ${scenario}\n${warnings.join('')}`;
}
