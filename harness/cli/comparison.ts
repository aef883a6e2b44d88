/** What `compare` and `run --compare` share: options, checks, files and output of a comparison. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { parseRule } from '../../scenarios/schema/grammar/rule.js';
import type { RulePlan } from '../../scenarios/schema/plan.js';
import { compareSides, defaultRules } from '../analysis/compare/sides.js';
import { obstacles, type Side } from '../compare/compare.js';
import {
  type ComparisonDocument,
  comparisonDocument,
  comparisonRow,
  exitCodeOf,
  overall,
  type RuleRow,
  sideRow,
} from '../compare/document.js';
import { renderComparison } from '../compare/page.js';
import { readSide, SideError } from '../compare/read-side.js';
import {
  changeText,
  designText,
  meaning,
  remarks,
  renderComparisonJunit,
  renderComparisonMarkdown,
  valueText,
} from '../compare/words.js';
import { runId } from '../log/run-id.js';
import { type NoiseFile, noiseOf, readNoise } from '../report/noise.js';
import { fingerprintOf, settingOf } from '../report/setting.js';
import { CliError } from './cli-error.js';
import { redactedCommand } from './command-line.js';
import { exitCode } from './exit-code.js';
import type { Host } from './host.js';
import { collectValues } from './options/option-parsers.js';
import { packageVersion } from './package-root.js';
import { paintOf, type Style, styleFor } from './terminal/style.js';
import { table } from './terminal/table.js';

export interface ComparisonOptions {
  readonly rule: readonly string[];
  readonly rules?: string;
  readonly paired?: boolean;
  readonly inconclusive: 'pass' | 'fail';
  readonly force?: boolean;
  readonly noise?: string;
}

export function addComparisonOptions(command: Command): Command {
  return command
    .option(
      '--rule <rule>',
      "what counts as a change, e.g. 'latency.p95 +10% and +2ms' (repeatable; default: `compare` of the scenario)",
      collectValues,
      [],
    )
    .option('--rules <file>', 'file with rules, one on each line')
    .option('--paired', 'run i of one side belongs to run i of the other, as when both were run in turn')
    .addOption(
      new Option('--inconclusive <meaning>', 'what an inconclusive rule means: exit code 6, or 0')
        .choices(['pass', 'fail'])
        .default('fail'),
    )
    .option('--force', 'compare runs of different scenarios, targets or environments, or invalid ones, all the same')
    .option('--noise <file>', 'what `swarmbench noise` measured (default: noise.json in the folder with the results)');
}

export interface ComparisonContext {
  readonly host: Host;
  /** Folder with the results of runs. */
  readonly results: string;
}

/** @throws CliError exit code 2 when the side names no readable run */
export async function readSideOrFail(name: string, { host, results }: ComparisonContext): Promise<Side> {
  try {
    return await readSide(name, { results, cwd: host.cwd });
  } catch (error) {
    if (!(error instanceof SideError)) throw error;
    throw new CliError({ code: error.code, message: error.message, hint: error.hint });
  }
}

/** @throws CliError exit code 2 when the sides cannot be compared, with everything they differ in */
export async function compareAll(
  base: Side,
  changed: readonly Side[],
  options: ComparisonOptions,
  context: ComparisonContext,
): Promise<ComparisonDocument> {
  const { host, results } = context;
  const rules = rulesOf(base, changed, options, host);
  const found = [...new Set(changed.flatMap((side) => obstacles(base, side)))];
  if (options.force !== true) refuse(base, changed, found);
  if (options.paired === true) refuseUnequalPairs(base, changed);
  const noise = await noiseFileOf(options, context);
  const [first] = base.runs;
  const fingerprint = first === undefined ? '' : fingerprintOf(settingOf(first));
  const compared = changed.map((side) => ({
    side,
    found: compareSides(base, side, {
      rules: rules.rules,
      paired: options.paired === true,
      noise: noiseOf(noise, fingerprint),
    }),
  }));
  const ownShares = compared.flatMap((one) => one.found.ownShares);
  if (options.force !== true) refuse(base, changed, ownShares);
  const comparisons = compared.map((one) => comparisonRow(base, one.side, one.found));
  const createdAt = new Date();
  const scenario = first?.run.scenario ?? '';
  const document = comparisonDocument.parse({
    schemaVersion: 1,
    id: `compare-${runId(scenario, createdAt.getTime())}`,
    scenario,
    version: packageVersion(),
    command: redactedCommand(host.args),
    createdAt: createdAt.toISOString(),
    forced: [...found, ...ownShares],
    defaultRules: rules.areDefaults,
    base: sideRow(base),
    comparisons,
    answer: overall(comparisons.map(({ answer }) => answer)),
    inconclusive: options.inconclusive,
    exitCode: exitCodeOf(comparisons, options.inconclusive),
  } satisfies ComparisonDocument);
  const folder = join(results, document.id);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(renderings(document))) writeFileSync(join(folder, name), text);
  return document;
}

function renderings(document: ComparisonDocument): Readonly<Record<string, string>> {
  return {
    'comparison.json': `${JSON.stringify(document, undefined, 1)}\n`,
    'comparison.html': renderComparison(document),
    'comparison.md': renderComparisonMarkdown(document),
    'junit.xml': renderComparisonJunit(document),
  };
}

/** @param reasons none: nothing is refused. @throws CliError NOT_COMPARABLE */
function refuse(base: Side, changed: readonly Side[], reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  throw new CliError({
    code: 'NOT_COMPARABLE',
    message: `${base.name} and ${changed.map(({ name }) => name).join(', ')} cannot be compared`,
    where: reasons.join('\n  '),
    hint: 'compare valid runs of the same scenario, target and environment, or use --force',
  });
}

function refuseUnequalPairs(base: Side, changed: readonly Side[]): void {
  const other = changed.find(({ runs }) => runs.length !== base.runs.length);
  if (other === undefined) return;
  throw new CliError({
    code: 'USAGE',
    message:
      `--paired needs the same number of runs: ${base.name} has ${base.runs.length}, ` +
      `${other.name} ${other.runs.length}`,
    hint: 'leave out --paired, or name the runs of each side in the order in which they were made',
  });
}

async function noiseFileOf(
  { noise }: ComparisonOptions,
  { host, results }: ComparisonContext,
): Promise<NoiseFile | undefined> {
  const path = noise === undefined ? join(results, 'noise.json') : resolve(host.cwd, noise);
  const refuse = (message: string): CliError =>
    new CliError({ code: 'USAGE', message, hint: '`swarmbench noise SCENARIO` writes such a file' });
  const read = await readNoise(path).catch((error: unknown) => {
    throw refuse(error instanceof Error ? error.message : String(error));
  });
  if (noise !== undefined && read === undefined) throw refuse(`there is no ${path}`);
  return read;
}

interface Rules {
  readonly rules: readonly RulePlan[];
  readonly areDefaults: boolean;
}

/** From the command line, else from the scenario of the changed side, else the defaults. */
function rulesOf(base: Side, changed: readonly Side[], options: ComparisonOptions, host: Host): Rules {
  const sides = [base, ...changed];
  const written = writtenRules(options, host);
  if (written.length > 0) return { rules: written.map((text) => parseOrFail(text, sides)), areDefaults: false };
  const own = changed.flatMap(({ runs }) => runs.map(({ rules }) => rules)).find((rules) => rules.length > 0);
  return own === undefined ? { rules: defaultRules, areDefaults: true } : { rules: own, areDefaults: false };
}

/** The rules of the command line, as written. */
export function writtenRules({ rule, rules }: ComparisonOptions, host: Host): readonly string[] {
  return [...rule, ...(rules === undefined ? [] : linesOf(rules, host))];
}

function linesOf(file: string, host: Host): readonly string[] {
  const path = resolve(host.cwd, file);
  if (!existsSync(path)) throw new CliError({ code: 'USAGE', message: `there is no file ${path} with rules` });
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\s*(?:compare:\s*$|- )/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0)
    throw new CliError({ code: 'USAGE', message: `${path} holds no rule`, hint: 'one on each line' });
  return lines;
}

function parseOrFail(text: string, sides: readonly Side[]): RulePlan {
  const blocks = sides.flatMap(({ runs }) => runs.flatMap((run) => run.blocks));
  const cells = blocks.flatMap((block) => block.cells);
  const parsed = parseRule(text, {
    stage: [...new Set(blocks.map(({ stage }) => stage))],
    profile: [...new Set(cells.map(({ profile }) => profile))],
    operation: [...new Set(cells.flatMap(({ operation }) => operation ?? []))],
  });
  if (parsed.ok) return parsed.rule;
  const { offset, message, hint } = parsed.problem;
  throw new CliError({
    code: 'INVALID_RULE',
    message: `the rule \`${text}\`: ${message}`,
    where: `at character ${offset + 1}`,
    hint,
  });
}

/** For the terminal. */
export function showComparison(
  document: ComparisonDocument,
  { host, results }: ComparisonContext,
  color: boolean,
): void {
  const style = styleFor(host.stdout, host.env, color);
  const lines = [
    ...document.forced.map((line) => style.yellow(`compared all the same: ${line}`)),
    ...document.comparisons.flatMap((one) => [
      `${style.bold(`${document.base.name} against ${one.changed.name}`)} (${document.scenario})`,
      `  ${designText(one)}`,
      ...one.subjects.map((line) => `  ${line}`),
      '',
      ...table(
        [['  answer', 'rule', 'base', 'changed', 'change'], ...one.rules.map((row) => cellsOf(row, style))],
        [2, 3],
      ),
      ...one.rules.flatMap((row) => remarks(row).map((line) => style.dim(`    ${row.rule}: ${line}`))),
      '',
      `  exploration: ${one.exploration.filter(({ found }) => found).length} of ${one.exploration.length} ` +
        'other figures ' +
        'stand out (they decide nothing)',
      '',
    ]),
    ...(document.defaultRules ? ['no rules were given: these are the defaults'] : []),
    `${document.scenario}: ${paintOf(document.answer, style)(style.bold(document.answer))}: ` +
      meaning(document.answer),
    `comparison: ${shown(join(results, document.id, 'comparison.html'), host)}`,
  ];
  host.stdout.write(`${lines.join('\n')}\n`);
}

function cellsOf({ answer, rule, metric, change }: RuleRow, style: Style): readonly string[] {
  return [
    `  ${paintOf(answer, style)(answer)}`,
    rule,
    change === null ? '–' : valueText(metric, change.base),
    change === null ? '–' : valueText(metric, change.changed),
    change === null ? 'no data' : changeText(change),
  ];
}

function shown(path: string, host: Host): string {
  const short = relative(host.cwd, path);
  return short.startsWith('..') ? path : short;
}

/** @throws CliError when the file could not be written there; before anything is run */
export function refuseMissingFolder(option: string, file: string | undefined, host: Host): void {
  if (file === undefined) return;
  const folder = dirname(resolve(host.cwd, file));
  if (existsSync(folder)) return;
  throw new CliError({
    code: 'USAGE',
    message: `${option} ${file}: there is no folder ${folder}`,
    exitCode: exitCode.usage,
  });
}
