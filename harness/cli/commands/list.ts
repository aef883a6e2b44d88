import { listProfiles, listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { exitCode } from '../exit-code.js';
import { styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly json?: boolean;
  readonly color: boolean;
}

export const list: CliCommand = {
  examples: ['swarmbench list', 'swarmbench list --json'],
  declare(command, host, finish) {
    command.option('--json', 'print one JSON object on stdout').action(({ json, color }: Options) => {
      const scenarios = listScenarios();
      const profiles = listProfiles();
      if (json === true) {
        host.stdout.write(`${JSON.stringify({ scenarios, profiles }, undefined, 2)}\n`);
      } else {
        const style = styleFor(host.stdout, host.env, color);
        const rows = table([...scenarios, ...profiles].map(({ name, description }) => [`  ${name}`, description]));
        const lines = [
          style.bold('Scenarios'),
          ...rows.slice(0, scenarios.length),
          '',
          style.bold('Profiles'),
          ...rows.slice(scenarios.length),
        ];
        host.stdout.write(`${lines.join('\n')}\n`);
      }
      finish(exitCode.passed);
    });
  },
};
