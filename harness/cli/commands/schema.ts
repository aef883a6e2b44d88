import { Argument } from 'commander';
import { profileJsonSchema, scenarioJsonSchema } from '../../../scenarios/schema/keys/describe-keys.js';
import { comparisonJsonSchema } from '../../compare/document.js';
import { suiteJsonSchema } from '../../overview/suite-document.js';
import { reportJsonSchema } from '../../report/schema.js';
import { exitCode } from '../exit-code.js';
import type { CliCommand } from './command.js';

const schemas = {
  scenario: scenarioJsonSchema,
  profile: profileJsonSchema,
  report: reportJsonSchema,
  comparison: comparisonJsonSchema,
  suite: suiteJsonSchema,
} as const satisfies Record<string, () => Record<string, unknown>>;

export const schema: CliCommand = {
  examples: ['swarmbench schema > scenario.schema.json', 'swarmbench schema report'],
  declare(command, host, finish) {
    command
      .addArgument(
        new Argument('[kind]', 'kind of file to print the schema of').choices(Object.keys(schemas)).default('scenario'),
      )
      .action((kind: keyof typeof schemas) => {
        host.stdout.write(`${JSON.stringify(schemas[kind](), undefined, 2)}\n`);
        finish(exitCode.passed);
      });
  },
};
