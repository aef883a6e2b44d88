/** A comparison in words: what the terminal, the page and Markdown share, and the last two whole. */
import { formatAs, formatMetric, plural, significant } from '../analysis/format.js';
import { powerText, spreadText } from '../report/noise.js';
import { xml } from '../report/text/junit.js';
import * as markdown from '../report/text/markdown-table.js';
import type { ChangeRow, ComparedSide, ComparisonDocument, RuleRow } from './document.js';

export function valueText(metric: string, value: number): string {
  return formatMetric({ metric }, value);
}

/** `+12 % (+8 % to +16 %)`. */
export function changeText({ scale, change, low, high }: ChangeRow): string {
  const text = (value: number): string => signed(scale, value);
  return low === null || high === null
    ? `${text(change)}, no interval`
    : `${text(change)} (${text(low)} to ${text(high)})`;
}

function signed(scale: ChangeRow['scale'], value: number): string {
  const size = Math.abs(value) * 100;
  const sign = value < 0 ? '-' : '+';
  return scale === 'ratio' ? `${sign}${significant(size)} %` : `${sign}${significant(size)} pp`;
}

/** What stands beside the answer: why it is open, what would settle it, what could be found. */
export function remarks({ answer, why, power, settledBy, regressionExcluded, change }: RuleRow): readonly string[] {
  const all: string[] = [];
  if (why !== undefined) all.push(why);
  if (answer === 'inconclusive' && regressionExcluded) all.push('no regression as large as the rule');
  if (power !== undefined && change !== null) {
    const { scale } = change;
    const size =
      scale === 'ratio' ? formatAs('ratio', Math.expm1(power.margin)) : `${significant(power.margin * 100)} pp`;
    const source = power.from === 'noise' ? 'noise' : 'spread of these trials';
    all.push(
      `rule ${size}, ${source} ${spreadText({ scale, deviation: power.spread })}: ` +
        `${powerText(power, size, scale).replace(/^A/, 'a').replace(/\.$/, '')}`,
    );
  }
  if (settledBy === null) all.push('not even 200 trials a side would settle it');
  else if (settledBy !== undefined) all.push(`about ${settledBy} trials a side would settle it`);
  return all;
}

export function designText({ design, trials }: ComparedSide): string {
  const { base, changed } = trials;
  switch (design) {
    case 'runs':
      return `${base} runs against ${changed}: bootstrap over whole runs, exact permutation of runs`;
    case 'paired runs':
      return `${plural(base, 'pair')} of runs: bootstrap over pairs, exact sign flips`;
    case 'within one run':
      return (
        `${plural(base, 'run')} against ${changed}: within one run only. With fewer than six runs a side it is not ` +
        'known how much runs differ by themselves, so equality is never claimed'
      );
  }
}

const means = {
  regressed: 'worse, by more than chance and by about the rule or more',
  improved: 'better, by more than chance and by about the rule or more',
  equivalent: 'any difference is smaller than the rules',
  inconclusive: 'neither a difference nor equality is shown',
} as const;

export function meaning(answer: ComparedSide['answer']): string {
  return means[answer];
}

const marks = { regressed: '❌', improved: '🚀', equivalent: '✅', inconclusive: '❔' } as const;

/** `comparison.md`: for a pull request. */
export function renderComparisonMarkdown(document: ComparisonDocument): string {
  const { text, table, bullets } = markdown;
  const parts = document.comparisons.flatMap((one) => [
    `## ${marks[one.answer]} ${one.answer}: ${text(document.scenario)}`,
    `${text(document.base.name)} against ${text(one.changed.name)}. ${text(designText(one), 1000)}.`,
    bullets(document.forced.map((line) => `Compared all the same: ${line}`)),
    table(
      ['', 'Rule', text(document.base.name, 60), text(one.changed.name, 60), 'Change', 'Answer'],
      one.rules.map(({ answer, rule, metric, change }) => [
        marks[answer],
        text(rule),
        change === null ? '–' : valueText(metric, change.base),
        change === null ? '–' : valueText(metric, change.changed),
        change === null ? 'no data' : changeText(change),
        answer,
      ]),
    ),
    bullets(one.rules.flatMap((row) => remarks(row).map((line) => `${row.rule}: ${line}`))),
    exploredMarkdown(one),
  ]);
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function exploredMarkdown({ exploration }: ComparedSide): string {
  const found = exploration.filter((one) => one.found);
  if (exploration.length === 0) return '';
  const head = `Exploration, which decides nothing: ${found.length} of ${exploration.length} other figures stand out.`;
  return found.length === 0
    ? head
    : `${head}\n\n${markdown.table(
        ['Figure', 'Base', 'Changed', 'Change'],
        found.map(({ metric, change }) => [
          markdown.text(metric),
          valueText(metricOf(metric), change.base),
          valueText(metricOf(metric), change.changed),
          changeText(change),
        ]),
      )}`;
}

/** Without its labels. */
export function metricOf(text: string): string {
  return text.replace(/\{.*$/, '');
}

/** One case a rule: a failure where it regressed, or inconclusive (skipped, if that passes). */
export function renderComparisonJunit(document: ComparisonDocument): string {
  const cases = document.comparisons.flatMap((one) => one.rules.map((row) => caseOf(document, one, row)));
  const failures = cases.filter(({ kind }) => kind === 'failure').length;
  const skipped = cases.filter(({ kind }) => kind === 'skipped').length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="swarmbench compare" ${counts}>`,
    `  <testsuite name="${xml(document.scenario)}" ${counts} timestamp="${xml(document.createdAt)}">`,
    ...cases.map(({ text }) => text),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  readonly kind: 'passed' | 'failure' | 'skipped';
  readonly text: string;
}

function caseOf(document: ComparisonDocument, { changed }: ComparedSide, row: RuleRow): Case {
  const name = document.comparisons.length > 1 ? `${row.rule} (${changed.name})` : row.rule;
  const head = `    <testcase classname="${xml(document.scenario)}" name="${xml(name)}"`;
  const detail = [row.change === null ? 'no data' : changeText(row.change), ...remarks(row)].join('; ');
  const open = row.answer === 'inconclusive' && !row.regressionExcluded;
  const fails = row.answer === 'regressed' || (open && document.inconclusive === 'fail');
  if (fails)
    return {
      kind: 'failure',
      text: `${head}>\n      <failure type="${row.answer}" message="${xml(detail)}"/>\n    </testcase>`,
    };
  if (open) return { kind: 'skipped', text: `${head}>\n      <skipped message="${xml(detail)}"/>\n    </testcase>` };
  return { kind: 'passed', text: `${head}/>` };
}
