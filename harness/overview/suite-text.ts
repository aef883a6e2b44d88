/** A suite as one Markdown table, and as one JUnit file. */
import { formatAs } from '../analysis/format.js';
import { xml } from '../report/text/junit.js';
import { ms, rate, table, text } from '../report/text/markdown-table.js';
import { oneLine } from '../report/tidy.js';
import { share } from '../report/values.js';
import { quantilesOf, type SuiteDocument, type SuiteRow } from './suite-document.js';

const marks = { passed: '✅', failed: '❌', invalid: '⚠️', incomplete: '⛔', skipped: '⏭️' } as const;

/** One row a run; the links lead to the reports beside the folder of the suite. */
export function renderSuiteMarkdown({ name, verdict, rows, description }: SuiteDocument): string {
  const quantiles = quantilesOf(rows);
  const line = (row: SuiteRow): readonly string[] => [
    `${marks[row.verdict]} ${row.verdict}`,
    row.folder === null ? text(row.title) : `[${text(row.title)}](${row.folder}/report.html)`,
    row.figures === null ? '–' : rate(row.figures.throughputPerSecond),
    row.figures === null ? '–' : share(row.figures.errorRate),
    ...quantiles.map((quantile) => ms(row.figures?.latencyMs[quantile] ?? null)),
    thresholdsOf(row),
  ];
  return `${[
    `## ${marks[verdict]} ${verdict}: ${text(name)}`,
    ...(description === undefined ? [] : [text(description, 1000)]),
    table(['Verdict', 'Run', 'Throughput', 'Errors', ...quantiles, 'Thresholds'], rows.map(line)),
  ].join('\n\n')}\n`;
}

function thresholdsOf({ thresholds }: SuiteRow): string {
  const broken = thresholds.filter(({ passed }) => !passed);
  if (thresholds.length === 0) return '–';
  if (broken.length === 0) return `${thresholds.length} of ${thresholds.length} hold`;
  return broken
    .map(({ check, unit, actual }) => `${text(check)}: ${actual === null ? 'no data' : formatAs(unit, actual)}`)
    .join('; ');
}

/** Each run is a suite; its cases are whether it can be trusted, and its thresholds. */
export function renderSuiteJunit({ name, rows }: SuiteDocument): string {
  const suites = rows.map(suiteOf);
  const total = (pick: (suite: Counted) => number): number => suites.reduce((sum, suite) => sum + pick(suite), 0);
  const counts = countsText(
    total(({ tests }) => tests),
    total(({ failures }) => failures),
    total(({ skipped }) => skipped),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xml(name)}" ${counts}>`,
    ...suites.map(({ lines }) => lines),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Counted {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
  readonly lines: string;
}

function countsText(tests: number, failures: number, skipped: number): string {
  return `tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}"`;
}

function suiteOf(row: SuiteRow): Counted {
  const { title, verdict, reasons, thresholds, durationSeconds, startedAt } = row;
  const time = (durationSeconds ?? 0).toFixed(3);
  const head = (name: string): string => `    <testcase classname="${xml(title)}" name="${xml(name)}" time="${time}"`;
  const trusted = 'the measurement can be trusted';
  const failure = (name: string, type: string, message: string, detail = message): string =>
    `${head(name)}>\n      <failure message="${xml(message)}" type="${type}">${xml(detail)}</failure>\n    </testcase>`;
  const validity = (): string => {
    if (verdict === 'skipped') return `${head(trusted)}><skipped message="${xml(reasons[0] ?? '')}"/></testcase>`;
    if (verdict === 'passed' || verdict === 'failed') return `${head(trusted)}/>`;
    return failure(trusted, verdict, `${verdict}: ${oneLine(reasons[0] ?? '')}`, reasons.join('\n'));
  };
  const cases = [
    validity(),
    ...thresholds.map(({ check, passed, unit, actual }) =>
      passed
        ? `${head(check)}/>`
        : failure(check, 'threshold', `${check}: ${actual === null ? 'no data' : `was ${formatAs(unit, actual)}`}`),
    ),
  ];
  const failures = cases.filter((one) => one.includes('<failure ')).length;
  const skipped = verdict === 'skipped' ? 1 : 0;
  const at = startedAt === null ? '' : ` timestamp="${xml(startedAt)}"`;
  const open = `  <testsuite name="${xml(title)}" ${countsText(cases.length, failures, skipped)} time="${time}"${at}>`;
  return { tests: cases.length, failures, skipped, lines: [open, ...cases, '  </testsuite>'].join('\n') };
}
