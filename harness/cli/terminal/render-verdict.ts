/**
 * The result of a run as text: what was measured, each threshold with its actual value, the verdict and its reasons.
 */
import { formatAs } from '../../analysis/format.js';
import type { Failure } from '../../log/errors.js';
import type { Report } from '../../report/schema.js';
import { addedText, areFew, blocksText, overheadOf, shareText } from '../../report/sections/arms/words.js';
import { remarkOf } from '../../report/sections/reached/section.js';
import { quantileOf, shownQuantiles } from '../../report/sections/shared/fields.js';
import { upstreamsText } from '../../report/sections/upstreams/section.js';
import { beside } from '../../report/values.js';
import { count, latency, percent, rate } from './quantity.js';
import { paintOf, type Style } from './style.js';
import { table } from './table.js';

export function renderVerdict(
  {
    report,
    reportFile,
    failure,
  }: { readonly report: Report; readonly reportFile: string; readonly failure: Failure | undefined },
  style: Style,
): string {
  const { verdict } = report;
  return `${[
    ...(report.summary.offered === 0 ? [] : [...measured(report), '']),
    ...(report.arms === undefined ? [] : [...arms(report.arms, style), '']),
    ...(report.summary.offered === 0 || report.thresholds.length === 0 ? [] : [...thresholds(report, style), '']),
    ...errors(report, style),
    ...(report.upstreams === undefined ? [] : [`upstreams: ${upstreamsText(report.upstreams)}`]),
    ...(report.reached ?? []).flatMap((row) => reachedLine(row, style)),
    ...report.notes.map((note) => `${style.yellow('note:')} ${note}`),
    `${style.bold(report.run.scenario)}: ${paintFor(verdict.kind, style)(style.bold(verdict.kind))}`,
    ...verdict.reasons.map((reason) => `  ${reason.replaceAll('\n', '\n  ')}`),
    ...hintOf(report, failure),
    `report: ${reportFile}`,
  ].join('\n')}\n`;
}

/** Unless a reason says it already. */
function hintOf({ verdict }: Report, failure: Failure | undefined): readonly string[] {
  const { hint } = failure ?? {};
  return hint === undefined || verdict.reasons.some((reason) => reason.includes(hint)) ? [] : [`  hint: ${hint}`];
}

function measured({ summary }: Report): readonly string[] {
  const { latencyMs, latencyFloorMs } = summary;
  const floorOf = (name: string): number | null | undefined => {
    if (latencyFloorMs === undefined) return undefined;
    return name === 'max' ? latencyFloorMs.max : quantileOf(latencyFloorMs, name);
  };
  const times = [...shownQuantiles(latencyMs), ['max', latencyMs.max] as const].map(
    ([name, ms]) => `${name} ${ms === null ? '–' : latency(ms)}${beside(ms, floorOf(name))}`,
  );
  const { sent, offered, succeeded, failed, throughputPerSecond, errorRate } = summary;
  const outcomes = `${count(succeeded)} succeeded, ${count(failed)} failed${losses(summary)}`;
  const throughput = throughputPerSecond === null ? '–' : rate(throughputPerSecond);
  const errors = errorRate === null ? '' : `, ${percent(errorRate)} errors`;
  return table([
    ['  requests', `${count(sent)} sent of ${count(offered)} due, ${outcomes}`],
    ['  throughput', `${throughput}${errors}`],
    ['  latency', times.join(', ')],
  ]);
}

function reachedLine(row: NonNullable<Report['reached']>[number], style: Style): readonly string[] {
  const remark = remarkOf(row);
  if (remark === '') return [];
  const what = [row.arm ?? [], row.operation ?? []].flat().join(', ');
  return [`${style.yellow('reached:')} ${what === '' ? '' : `${what}: `}${remark}`];
}

/** What each arm adds to the first; the report has all quantiles and operations. */
function arms(data: NonNullable<Report['arms']>, style: Style): readonly string[] {
  const shown = data.overheads.filter(({ of, operation }) => operation === null && of === 'latency');
  return [
    `  what each arm adds ${blocksText(data)}`,
    ...table(
      [
        ['  arm', 'time', data.base, 'this arm', 'added (95 %)', 'share (95 %)'],
        ...shown.map((row) => [
          `  ${row.arm}`,
          `${overheadOf(row)}${areFew(row) ? ' (few)' : ''}`,
          latency(row.baseMs),
          latency(row.armMs),
          addedText(row),
          shareText(row),
        ]),
      ],
      [2, 3],
    ),
    ...(data.defaultRules
      ? []
      : table(
          data.rules.map(({ arm, rule, answer, remarks }) => [
            `  ${paintOf(answer, style)(answer)}`,
            arm,
            rule,
            style.dim(remarks.join('; ')),
          ]),
        )),
  ];
}

function losses({ lost, dropped, unsent }: Report['summary']): string {
  const parts = Object.entries({ lost, dropped, unsent }).filter(([, times]) => times > 0);
  return parts.map(([name, times]) => `, ${count(times)} ${name}`).join('');
}

function thresholds(report: Report, style: Style): readonly string[] {
  return table(
    report.thresholds.map(({ check, actual, unit, passed, why, floor, undecided }) => [
      `  ${resultOf(passed, undecided, style)}`,
      check,
      actual === null
        ? `no data${why === undefined ? '' : `: ${why}`}`
        : `${formatAs(unit, actual)}${beside(actual, floor)}`,
    ]),
  );
}

function resultOf(passed: boolean, undecided: boolean | undefined, style: Style): string {
  if (undecided === true) return style.yellow('????');
  return passed ? style.green('pass') : style.red('FAIL');
}

/** As many categories as say what went wrong; the report has them all. */
const MOST_ERRORS = 6;
const DETAIL_CHARACTERS = 240;

/** The errors of a run that did not pass: each category with its first detail. */
function errors({ verdict, errors: all, stages }: Report, style: Style): readonly string[] {
  if (verdict.kind === 'passed' || all.length === 0) return [];
  const openings = new Map<string, number>();
  for (const { sessions } of stages)
    for (const [category, times] of Object.entries(sessions.failures))
      openings.set(category, (openings.get(category) ?? 0) + times);
  const shown = all
    .filter(({ category, sample }) => category !== 'lost' || sample !== null)
    .slice(0, MOST_ERRORS)
    .map(({ category, count: inside, unmeasured, sample }) => {
      const times = inside + unmeasured;
      const number = times > 0 ? count(times) : `${count(openings.get(category) ?? 0)} sessions`;
      return [`  ${style.red(category)}`, number, sample === null ? '' : oneLine(sample.detail)];
    });
  const more = all.length > MOST_ERRORS ? [`  and ${all.length - MOST_ERRORS} more categories in the report`] : [];
  return [...table(shown), ...more, ''];
}

/** A server's words must not move the cursor or end the line. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > DETAIL_CHARACTERS ? `${line.slice(0, DETAIL_CHARACTERS)}...` : line;
}

function paintFor(kind: Report['verdict']['kind'], style: Style): (text: string) => string {
  switch (kind) {
    case 'passed':
      return style.green;
    case 'failed':
      return style.red;
    case 'invalid':
    case 'incomplete':
      return style.yellow;
  }
}
