import { formatAs, formatMs } from '../../analysis/format.js';
import type { Report } from '../schema.js';
import { shownQuantiles } from '../sections/shared/fields.js';
import { oneLine, tidy } from '../tidy.js';

/**
 * The scenario is the suite. Each threshold is a case, whose failure carries the actual value; one more case is the
 * validity of the measurement.
 */
export function renderJunit(report: Report): string {
  const { run, thresholds } = report;
  const cases = [validityCase(report), ...thresholds.map((threshold) => thresholdCase(report, threshold))];
  const failures = cases.filter(({ failed }) => failed).length;
  const time = run.durationSeconds.toFixed(3);
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0" time="${time}"`;
  const at = run.startedAt === null ? '' : ` timestamp="${xml(run.startedAt)}"`;
  const latencies = shownQuantiles(report.summary.latencyMs)
    .flatMap(([name, ms]) => (ms === null ? [] : `<property name="latency.${name}" value="${formatMs(ms)}"/>`))
    .join('');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="swarmbench" ${counts}>`,
    `  <testsuite name="${xml(run.scenario)}" ${counts}${at}>`,
    `    <properties><property name="run" value="${xml(run.id)}"/>` +
      `<property name="seed" value="${run.seed}"/>${latencies}</properties>`,
    ...cases.map(({ text }) => text),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  readonly failed: boolean;
  readonly text: string;
}

function testCase(
  report: Report,
  name: string,
  failure: { readonly message: string; readonly type: string; readonly detail: string } | undefined,
): Case {
  const time = report.summary.durationSeconds.toFixed(3);
  const head = `    <testcase classname="${xml(report.run.scenario)}" name="${xml(name)}" time="${time}"`;
  if (failure === undefined) return { failed: false, text: `${head}/>` };
  const { message, type, detail } = failure;
  return {
    failed: true,
    text: `${head}>\n      <failure message="${xml(message)}" type="${type}">${xml(detail)}</failure>\n    </testcase>`,
  };
}

function validityCase(report: Report): Case {
  const { kind, reasons } = report.verdict;
  const trusted = kind === 'passed' || kind === 'failed';
  return testCase(
    report,
    'the measurement can be trusted',
    trusted
      ? undefined
      : {
          message: `${kind}: ${oneLine(reasons[0] ?? '')}`,
          type: kind,
          detail: reasons.map((reason) => oneLine(reason, 1000)).join('\n'),
        },
  );
}

function thresholdCase(
  report: Report,
  { check, actual, unit, passed, samples, why, floor, undecided }: Report['thresholds'][number],
): Case {
  const own = undecided === true && floor !== undefined ? `, but ${formatAs(unit, floor)} without the generator` : '';
  const was = actual === null ? `no data: ${why ?? 'nothing was measured'}` : `was ${formatAs(unit, actual)}${own}`;
  return testCase(
    report,
    check,
    passed ? undefined : { message: `${check}: ${was}`, type: 'threshold', detail: `${was} (${samples} samples)` },
  );
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};
/** Text for an attribute or an element. */
export function xml(text: string): string {
  return tidy(text).replaceAll(/[&<>"'\n\t\r]/g, (character) => entities[character] ?? '');
}
