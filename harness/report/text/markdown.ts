/** `report.md`: fits a CI job's summary page. */
import { formatAs, formatBytes, formatMs, significant } from '../../analysis/format.js';
import type { LatencyBlock, Report } from '../schema.js';
import { oneLine } from '../tidy.js';

const marks = { passed: '✅ passed', failed: '❌ failed', invalid: '⚠️ invalid', incomplete: '⛔ incomplete' } as const;
const mostErrors = 10;
const mostReplicas = 20;

export function renderMarkdown(report: Report): string {
  return `${[
    `## ${marks[report.verdict.kind]}: ${text(report.run.scenario)}`,
    bullets(report.verdict.reasons),
    bullets(report.notes.map((note) => `Note: ${note}`)),
    thresholds(report),
    figures(report),
    faults(report),
    deliveries(report),
    breakdown(report),
    affinity(report),
    errors(report),
    misbehaviour(report),
    neighbours(report),
    memory(report),
    `Run \`${report.run.id.replaceAll('`', '')}\`, seed ${report.run.seed}, ${significant(report.run.durationSeconds)} s. The rest is in \`report.html\` and \`report.json\` beside this file.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${text(line, 1000)}`).join('\n');
}

function thresholds({ thresholds: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        ['', 'Threshold', 'Actual', 'Samples'],
        all.map(({ check, actual, unit, passed, samples, why }) => [
          passed ? '✅' : '❌',
          text(check),
          actual === null ? `no data: ${text(why ?? '')}` : formatAs(unit, actual),
          significant(samples),
        ]),
      );
}

function figures({ summary }: Report): string {
  return table(
    ['Measured', 'Value'],
    [
      ['Throughput', rate(summary.throughputPerSecond)],
      [
        'Offered',
        `${rate(summary.offeredPerSecond)}, ${summary.deliveredRatio === null ? '–' : formatAs('ratio', summary.deliveredRatio)} delivered`,
      ],
      [
        'Errors',
        `${significant(summary.failed - summary.byUs + summary.lost)} (${summary.errorRate === null ? '–' : formatAs('ratio', summary.errorRate)})`,
      ],
      ['Latency from due time', percentiles(summary.latencyMs)],
      ['Service time', percentiles(summary.serviceMs)],
      ['Connect', percentiles(summary.connectMs)],
      [
        'Sessions',
        `${significant(summary.sessions.opened)} opened, ${significant(summary.sessions.lost)} lost, at most ${summary.sessions.peak === null ? '–' : significant(summary.sessions.peak)} at once`,
      ],
      ['Traffic', `${formatBytes(summary.bytesSent)} sent, ${formatBytes(summary.bytesReceived)} received`],
    ],
  );
}

function faults({ faults: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        [
          'Fault',
          'What',
          'At',
          'In effect after',
          'Recovered after',
          'Undone at',
          'As before after',
          'Recovered after',
          'Failed during',
        ],
        all.map((fault) => [
          text(`${fault.id} ${fault.kind}`),
          text(fault.target),
          seconds(fault.atSeconds),
          seconds(fault.convergenceSeconds),
          seconds(fault.recoverySeconds),
          seconds(fault.undoneAtSeconds),
          seconds(fault.undo?.convergenceSeconds ?? null),
          seconds(fault.undo?.recoverySeconds ?? null),
          significant(fault.failedDuring),
        ]),
      );
}
function deliveries({ streams }: Report): string {
  return streams === undefined
    ? ''
    : table(
        ['Streams', 'Value'],
        [
          [
            'Opened',
            `${significant(streams.summary.opened)}, ${significant(streams.summary.resumed)} resumed, ${significant(streams.summary.lost)} broken`,
          ],
          ...(streams.summary.callsBroken === 0
            ? []
            : [
                [
                  'Calls whose stream broke off',
                  `${significant(streams.summary.callsBroken)}, ${significant(streams.summary.callsResumed)} answered on a stream resumed`,
                ],
              ]),
          ['Delivery from due time', percentiles(streams.summary.deliveryMs)],
          ...(streams.summary.returned === 0
            ? []
            : [
                [
                  'Caught up',
                  `${significant(streams.summary.catchUpMs.count)} of ${significant(streams.summary.returned)}: ${percentiles(streams.summary.catchUpMs)}`,
                ],
              ]),
          ...(streams.deliveries === null
            ? []
            : [
                [
                  'Published, whole run',
                  `${significant(streams.deliveries.published)} by ${significant(streams.deliveries.publishers)}, ${significant(streams.deliveries.unconfirmed)} not confirmed`,
                ],
                [
                  'Delivered, whole run',
                  `${significant(streams.deliveries.delivered)} of ${significant(streams.deliveries.expected)} expected, ${significant(streams.deliveries.lost)} lost`,
                ],
              ]),
        ],
      );
}

function breakdown({ operations }: Report): string {
  return operations.length < 2
    ? ''
    : table(
        ['Operation', 'Profile', 'Succeeded', 'Failed', 'p50', 'p95', 'p99'],
        operations.map(({ name, profile, succeeded, failed, byUs, latencyMs }) => [
          text(name),
          text(profile),
          significant(succeeded),
          significant(failed - byUs),
          ms(latencyMs.p50),
          ms(latencyMs.p95),
          ms(latencyMs.p99),
        ]),
      );
}

/** Only where there is something to tell: several replicas, or a session that was not known. */
function affinity({ affinity: block }: Report): string {
  return block === null || (block.perReplica.length < 2 && block.unknown === 0)
    ? ''
    : [
        table(
          ['Profile', 'Sticky', 'Era', 'Sessions', 'Moved', 'Not known', 'Lost', 'Not opened', 'Errors', 'p95'],
          block.perProfile.map((one) => [
            text(one.profile),
            one.sticky ?? '–',
            one.era ?? '–',
            significant(one.sessions),
            significant(one.moved),
            significant(one.unknown),
            significant(one.lost),
            significant(one.refused),
            one.errorRate === null ? '–' : formatAs('ratio', one.errorRate),
            ms(one.latencyMs.p95),
          ]),
        ),
        table(
          ['Replica', 'Share', 'Succeeded', 'Failed', 'Sessions', 'Moved here', 'p95'],
          block.perReplica
            .slice(0, mostReplicas)
            .map(({ replica, share, succeeded, failed, sessions, latencyMs }) => [
              text(replica),
              formatAs('ratio', share),
              significant(succeeded),
              significant(failed),
              significant(sessions.answered),
              significant(sessions.movedHere),
              ms(latencyMs.p95),
            ]),
        ),
      ].join('\n\n');
}

function errors({ errors: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        ['Error', 'Measured', 'Elsewhere', 'First seen'],
        all
          .slice(0, mostErrors)
          .map(({ category, count, unmeasured, sample }) => [
            text(category),
            significant(count),
            significant(unmeasured),
            sample === null ? '' : text(sample.detail, 200),
          ]),
      );
}

function misbehaviour({ misbehaviour: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        ['Misbehaviour, on purpose', 'Profile', 'Done', 'What the server made of it'],
        all.map(({ kind, profile, done, reactions }) => [
          text(kind),
          text(profile),
          significant(done),
          reactions
            .map(
              ({ reaction, count, judgement }) =>
                `${judgement === 'wrong' ? '⚠️ ' : ''}${significant(count)} × ${text(reaction)}`,
            )
            .join(', '),
        ]),
      );
}

function neighbours({ neighbours: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        ['Behaves', 'Beside', 'p95 alone', 'p95 beside', 'p99 alone', 'p99 beside', 'Errors alone', 'Errors beside'],
        all.map((row) => [
          text(row.profile),
          text(row.neighbours.join(', ')),
          ms(row.alone.latencyMs.p95),
          ms(row.beside.latencyMs.p95),
          ms(row.alone.latencyMs.p99),
          ms(row.beside.latencyMs.p99),
          ratio(row.alone.errorRate),
          ratio(row.beside.errorRate),
        ]),
      );
}

function memory({ memory: all }: Report): string {
  return all.length === 0
    ? ''
    : table(
        [
          'Memory per session',
          'Ends with',
          'For each session',
          'Bytes',
          '95 % interval',
          'Explained',
          'Before → end → after a rest',
          'Given back',
        ],
        all.map(({ stage, how, against, bytesPerSession, low, high, r2, why, givenBack }) => [
          text(stage),
          text(how),
          against === 'open' ? 'held open' : 'ever opened',
          bytesPerSession === null ? `none: ${text(why ?? '')}` : formatBytes(bytesPerSession),
          low === null || high === null ? '–' : `${formatBytes(low)} to ${formatBytes(high)}`,
          ratio(r2),
          givenBack === null
            ? '–'
            : [givenBack.beforeBytes, givenBack.endBytes, givenBack.afterBytes].map(formatBytes).join(' → '),
          ratio(givenBack?.share ?? null),
        ]),
      );
}

function ratio(value: number | null): string {
  return value === null ? '–' : formatAs('ratio', value);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function percentiles({ count, p50, p95, p99, max }: LatencyBlock): string {
  return count === 0 ? 'no data' : `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)}`;
}
function seconds(value: number | null): string {
  return value === null ? '–' : `${significant(value)} s`;
}
function ms(value: number | null): string {
  return value === null ? '–' : formatMs(value);
}
function rate(value: number | null): string {
  return value === null ? 'no data' : formatAs('perSecond', value);
}

/** Nothing in it is markup: not a link, not a tag, not the end of a cell. */
function text(raw: string, limit = 300): string {
  return oneLine(raw, limit).replaceAll(/[\\`*_[\]<>#|&@]/g, (character) =>
    character === '<' ? '&lt;' : character === '&' ? '&amp;' : `\\${character}`,
  );
}
