import { resolve } from 'node:path';

import { gatherFacts } from '../doctor/facts.js';
import { judge } from '../doctor/judge.js';
import { renderFindings } from '../doctor/render.js';
import { exitCode } from '../exit-code.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export const doctor: CliCommand = {
  examples: ['swarmbench doctor', 'swarmbench doctor --json'],
  declare(command, host, finish) {
    command
      .option('--out <folder>', 'where runs will write their results', 'results')
      .option('--json', 'one JSON object on stdout')
      .action(async (options: Options) => {
        const findings = judge(await gatherFacts(host, resolve(host.cwd, options.out)));
        const healthy = findings.every(({ status }) => status !== 'missing');
        if (options.json === true) host.stdout.write(`${JSON.stringify({ healthy, findings }, undefined, 2)}\n`);
        else host.stdout.write(renderFindings(findings, styleFor(host.stdout, host.env, options.color)));
        finish(healthy ? exitCode.passed : exitCode.unreachable);
      });
  },
};
