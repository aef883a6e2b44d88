import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RulePlan } from '../../../scenarios/schema/plan.js';
import { defaultRules, marginOf, textOf } from '../../analysis/compare/sides.js';
import { formatMetric } from '../../analysis/format.js';
import { FEWEST_TRIALS } from '../../analysis/statistics/median-interval.js';
import { obstacles } from '../../compare/compare.js';
import { noiseOfRuns } from '../../compare/noise.js';
import { type NoiseEntry, powerText, readNoise, spreadText, withEntry } from '../../report/noise.js';
import { writeReport } from '../../report/write-report.js';
import {
  addPlatformOptions,
  chooseConductor,
  type PlatformOptions,
  refuseImpossibleOptions,
  refusePlan,
} from '../choose-conductor.js';
import { CliError } from '../cli-error.js';
import { readSideOrFail } from '../comparison.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, planOf, refuseArms } from '../options/load-options.js';
import { parseWholeNumber } from '../options/option-parsers.js';
import { styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, PlatformOptions {
  readonly trials: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

const DEFAULT_TRIALS = 10;

export const noise: CliCommand = {
  examples: [
    'swarmbench noise ci --trials 10',
    'swarmbench noise baseline --target http://localhost:3000/mcp --time-scale 0.25',
  ],
  declare(command, host, finish) {
    command.argument('<scenario>', 'name of a scenario, or a file');
    addLoadOptions(command);
    addPlatformOptions(command)
      .option(
        '--trials <n>',
        'number of runs, each with a fresh target and fresh workers; at least 6',
        parseWholeNumber,
        DEFAULT_TRIALS,
      )
      .option('--json', 'print the measured noise as JSON on stdout and nothing else')
      .option('-q, --quiet', 'show no progress')
      .action(async (scenario: string, options: Options) => {
        finish(await measureNoise(scenario, options, host));
      });
  },
};

async function measureNoise(scenario: string, options: Options, host: Host): Promise<number> {
  refuseImpossibleOptions(options);
  if (options.trials < FEWEST_TRIALS)
    throw new CliError({
      code: 'USAGE',
      message: `--trials ${options.trials} is too few to know how much trials differ`,
      hint: `at least ${FEWEST_TRIALS}; ${DEFAULT_TRIALS} are better`,
    });
  const plan = planOf(scenario, options, host);
  refuseArms(plan, 'noise');
  refusePlan(plan, options, host);
  const results = resolve(host.cwd, options.out);
  const path = join(results, 'noise.json');
  // Before hours of runs: a file that cannot be read could not be added to either.
  const before = await readNoise(path).catch((error: unknown) => {
    throw new CliError({
      code: 'USAGE',
      message: error instanceof Error ? error.message : String(error),
      hint: 'move it away, or name another folder with --out',
    });
  });
  const quiet = options.quiet === true;
  const conductor = await chooseConductor(options, {
    host,
    resultsFolder: results,
    quiet,
    style: styleFor(host.stderr, host.env, options.color),
  });
  const folders: string[] = [];
  try {
    for (let trial = 1; trial <= options.trials; trial += 1) {
      if (!quiet) host.stderr.write(`trial ${trial} of ${options.trials}\n`);
      const { finished } = await conductor.run(plan, { scenario, options });
      if (conductor.interrupted()) return exitCode.interrupted;
      folders.push(finished.folder);
    }
  } finally {
    await conductor.close();
  }
  const side = await readSideOrFail(folders.join(','), { host, results });
  const found = obstacles(side, side);
  if (found.length > 0)
    throw new CliError({
      code: 'NOISE_UNKNOWN',
      message: 'the trials cannot be compared with each other, so their noise means nothing',
      where: [...new Set(found)].join('\n  '),
      exitCode: exitCode.untrusted,
    });
  const rules = plan.compare ?? defaultRules;
  const entry = noiseOfRuns(side, rules, new Date().toISOString());
  mkdirSync(results, { recursive: true });
  writeFileSync(`${path}.part`, `${JSON.stringify(withEntry(before, entry), undefined, 1)}\n`);
  renameSync(`${path}.part`, path);
  // Their reports say from now on what comparisons with them can find.
  for (const folder of folders) await writeReport(folder);
  if (options.json === true) host.stdout.write(`${JSON.stringify(entry, undefined, 2)}\n`);
  else host.stdout.write(`${summaryOf(entry, rules, path).join('\n')}\n`);
  return exitCode.passed;
}

function summaryOf(entry: NoiseEntry, rules: readonly RulePlan[], path: string): readonly string[] {
  const rows = Object.entries(entry.spreads).map(([text, spread]) => {
    const metric = text.replace(/\{.*$/, '');
    const [low, high] = [Math.min(...spread.values), Math.max(...spread.values)];
    return [`  ${text}`, spreadText(spread), `${formatMetric({ metric }, low)} to ${formatMetric({ metric }, high)}`];
  });
  return [
    `noise of ${entry.scenario} between ${entry.trials} trials`,
    ...table([['  figure', 'spread', 'range'], ...rows], [1]),
    ...rules.flatMap((rule) => powerOfRule(entry, rule)),
    `noise: ${path}`,
  ];
}

function powerOfRule(entry: NoiseEntry, rule: RulePlan): readonly string[] {
  const spread = entry.spreads[textOf(rule)];
  if (spread === undefined) return [];
  const { values, scale, deviation } = spread;
  const base = values.reduce((sum, value) => sum + value, 0) / values.length;
  const margin = marginOf(rule, base);
  const size = scale === 'ratio' ? `${Number((Math.expm1(margin) * 100).toPrecision(3))} %` : `${margin * 100} pp`;
  return [`  ${rule.text}: ${powerText({ spread: deviation, trials: FEWEST_TRIALS, margin }, size, scale)}`];
}
