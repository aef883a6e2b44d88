import { resolve } from 'node:path';
import { RESULTS_FOLDER } from '../defaults.js';
import { gatherFacts } from '../doctor/facts.js';
import { type Finding, judge } from '../doctor/judge.js';
import { exitCode } from '../exit-code.js';
import { type Style, styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export const doctor: CliCommand = {
  examples: [
    'swarmbench doctor',
    'swarmbench doctor --json',
    'NETTOOLS_IMAGE=my-tools swarmbench doctor   test the kernel from this image (with sh, ip and tc)',
  ],
  declare(command, host, finish) {
    command
      .option('--out <folder>', 'folder where runs will write their results', RESULTS_FOLDER)
      .option('--json', 'print one JSON object on stdout')
      .action(async (options: Options) => {
        const findings = judge(await gatherFacts(host, resolve(host.cwd, options.out)));
        const healthy = findings.every(({ status }) => status !== 'missing');
        if (options.json === true) {
          const printed = { healthy, findings: findings.map(({ fix, ...finding }) => ({ ...finding, mend: fix })) };
          host.stdout.write(`${JSON.stringify(printed, undefined, 2)}\n`);
        } else {
          host.stdout.write(renderFindings(findings, styleFor(host.stdout, host.env, options.color)));
        }
        finish(healthy ? exitCode.passed : exitCode.unreachable);
      });
  },
};

/** One line per finding, with the command that fixes it below. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  const paint = { ok: style.green, warn: style.yellow, missing: style.red, note: style.dim } as const;
  const rows = table(findings.map(({ status, name, detail }) => [paint[status](status), name, detail]));
  const lines = findings.flatMap(({ fix }, index) => [
    rows[index] ?? '',
    ...(fix === undefined ? [] : [`         ${style.dim('fix:')} ${fix}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
