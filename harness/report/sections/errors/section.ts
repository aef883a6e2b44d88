import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import type { TimeContext } from '../../svg/frame.js';
import { clip } from '../../tidy.js';
import { count, duration } from '../../values.js';
import { errorCharts } from '../time-charts.js';

type Failure = Report['errors'][number];
const sampleLimit = 4096;

/** What each category of failure means to someone who has not read the manual. */
const meanings: Readonly<Record<string, string>> = {
  connect: 'no connection, or none in time',
  timeout: 'no answer in the time the profile allows',
  session_lost: 'the server no longer knew the session',
  tool_error: 'the tool answered that it failed (isError)',
  expectation: 'a correct answer that does not hold what the scenario expects',
  protocol_violation: 'an answer that is not MCP, or not to our request',
  stream_lost: 'the connection ended in the middle of an answer',
  aborted_by_us: 'cut by us when the run was stopped',
  lost: 'no answer when the drain ended',
};
function meaningOf(category: string): string {
  return (
    meanings[category] ??
    (category.startsWith('http_')
      ? `HTTP status ${category.slice(5)}`
      : category.startsWith('rpc_')
        ? `JSON-RPC error ${category.slice(4)}`
        : '')
  );
}

export function errorsSection(report: Report, time: TimeContext): Markup {
  return html`
<h2 id="errors">Errors</h2>
${errorCharts(report, time)}
${
  report.errors.length === 0
    ? ''
    : html`${table<Failure>(
        'By category',
        [
          { head: 'Category', cell: ({ category }) => html`<code>${category}</code>` },
          { head: 'Meaning', cell: ({ category }) => meaningOf(category), text: true },
          { head: 'Measured', cell: ({ count: inside }) => count(inside) },
          { head: 'Elsewhere', cell: ({ unmeasured }) => count(unmeasured) },
        ],
        report.errors,
      )}
${report.errors.map(sampleOf)}`
}
${openFailures(report)}`;
}

function sampleOf({ category, sample }: Failure): Markup | string {
  return sample === null
    ? ''
    : html`
<details><summary>First <code>${category}</code>: ${clip(sample.detail, 160)}</summary>
<p class="note">At ${duration(sample.atSeconds)}, profile ${sample.profile}, operation ${sample.operation}. ${sample.detail}</p>
${sample.request === undefined ? '' : html`<p class="note">Request</p><pre tabindex="0">${clip(sample.request, sampleLimit)}</pre>`}
${sample.response === undefined ? '' : html`<p class="note">Response</p><pre tabindex="0">${clip(sample.response, sampleLimit)}</pre>`}</details>`;
}

/** Handshakes are not operations, so their failures are not among the errors above. */
function openFailures({ stages }: Report): Markup | string {
  const totals = new Map<string, number>();
  for (const { sessions } of stages)
    for (const [category, times] of Object.entries(sessions.failures))
      totals.set(category, (totals.get(category) ?? 0) + times);
  return totals.size === 0
    ? ''
    : table<readonly [string, number]>(
        'Sessions that could not be opened, all stages',
        [
          { head: 'Category', cell: ([category]) => html`<code>${category}</code>` },
          { head: 'Meaning', cell: ([category]) => meaningOf(category), text: true },
          { head: 'Times', cell: ([, times]) => count(times) },
        ],
        [...totals].sort(([, a], [, b]) => b - a),
      );
}
