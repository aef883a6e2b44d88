/**
 * Prints what a pipeline on GitHub should point at, as workflow commands: broken thresholds, runs that cannot be
 * trusted, figures that regressed. `node tools/annotations.mjs RESULTS`; the action calls it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LEVELS = { regressed: 'error', inconclusive: 'warning', improved: 'notice' };
const [results = 'results'] = process.argv.slice(2);

for (const folder of foldersIn(results)) {
  const report = readJson(join(folder, 'report.json'));
  if (report !== undefined) for (const line of ofRun(report)) process.stdout.write(`${line}\n`);
  const comparison = readJson(join(folder, 'comparison.json'));
  if (comparison !== undefined) for (const line of ofComparison(comparison)) process.stdout.write(`${line}\n`);
}

/** A link like `latest` is no folder. */
function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function ofRun({ run, verdict, thresholds }) {
  const broken = thresholds
    .filter(({ passed }) => passed === false)
    .map(({ check, actual }) => `${check} does not hold: ${typeof actual === 'number' ? round(actual) : 'no data'}`);
  const reasons = verdict.kind === 'passed' || verdict.kind === 'failed' ? [] : verdict.reasons;
  return [...broken, ...reasons].map((text) => annotation('error', `${run.scenario}: ${verdict.kind}`, text));
}

function ofComparison({ scenario, comparisons }) {
  return comparisons.flatMap(({ rules }) =>
    rules
      .filter(({ answer }) => LEVELS[answer] !== undefined)
      .map((rule) => annotation(LEVELS[rule.answer], `${scenario}: ${rule.answer}`, textOf(rule))),
  );
}

function textOf({ rule, change, why }) {
  if (change === null) return why === undefined ? rule : `${rule}: ${why}`;
  const { scale, base, changed, low, high } = change;
  const by = scale === 'ratio' ? (value) => `${round(value * 100)} %` : (value) => `${round(value)}`;
  const interval = low === null || high === null ? '' : ` (95 % interval ${by(low)} to ${by(high)})`;
  return `${rule}: from ${round(base)} to ${round(changed)}, ${by(change.change)}${interval}`;
}

function round(value) {
  return Number(value.toPrecision(3));
}

/** https://docs.github.com/actions/reference/workflow-commands: what would end the command is escaped. */
function annotation(level, title, text) {
  const escaped = (value) => value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `::${level} title=${escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C')}::${escaped(text)}`;
}
