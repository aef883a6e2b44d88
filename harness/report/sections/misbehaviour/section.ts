import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { clip } from '../../tidy.js';
import { count, duration, ms, plain, rate, share } from '../../values.js';

type Misbehaviour = Report['misbehaviour'][number];
type Row = Pick<Misbehaviour, 'profile' | 'kind' | 'done'> & Misbehaviour['reactions'][number];
const sampleLimit = 4096;

export function misbehaviourSection(report: Report): Markup | string {
  const { misbehaviour } = report;
  const rows = misbehaviour.flatMap(({ reactions, ...rest }) =>
    reactions.map((reaction): Row => ({ ...rest, ...reaction })),
  );
  if (rows.length === 0) return '';
  return html`
<h2 id="misbehaviour">Misbehaviour</h2>
<p class="note">What clients did wrong on purpose, in all stages. None of it counts as an error of the target.</p>
${table<Row>(
  'What was done, and what the server made of it',
  [
    { head: 'Kind', cell: ({ kind }) => html`<code>${kind}</code>` },
    { head: 'Profile', cell: ({ profile }) => profile, text: true },
    { head: 'Done', cell: ({ done }) => count(done) },
    { head: 'Reaction', cell: ({ reaction }) => html`<code>${reaction}</code>`, text: true },
    { head: 'Times', cell: ({ count: times }) => count(times) },
    {
      head: '',
      cell: ({ judgement }) =>
        judgement === 'wrong' ? html`<span class="bad">worth a look</span>` : judgement === 'right' ? 'right' : '',
      text: true,
    },
    { head: 'Meaning', cell: ({ meaning }) => meaning, text: true },
  ],
  rows,
)}
${neighboursTable(report)}
${rows.map(sampleOf)}`;
}

type Neighbour = Report['neighbours'][number];
function change(value: number | null): string {
  return value === null ? '–' : `× ${plain(value)}`;
}
function sides(of: (side: Neighbour['alone']) => string) {
  return ({ alone, beside }: Neighbour): string => `${of(alone)} → ${of(beside)}`;
}

function neighboursTable({ neighbours }: Report): Markup | string {
  return neighbours.length === 0
    ? ''
    : table<Neighbour>(
        'Those that behave: alone → beside those that do not',
        [
          { head: 'Profile', cell: ({ profile }) => profile },
          { head: 'Beside', cell: (row) => row.neighbours.join(', '), text: true },
          { head: 'Throughput', cell: sides(({ throughputPerSecond }) => rate(throughputPerSecond)) },
          { head: 'Errors', cell: sides(({ errorRate }) => share(errorRate)) },
          { head: 'p50', cell: sides(({ latencyMs }) => ms(latencyMs.p50)) },
          { head: '', cell: ({ ratio }) => change(ratio.p50) },
          { head: 'p95', cell: sides(({ latencyMs }) => ms(latencyMs.p95)) },
          { head: '', cell: ({ ratio }) => change(ratio.p95) },
          { head: 'p99', cell: sides(({ latencyMs }) => ms(latencyMs.p99)) },
          { head: '', cell: ({ ratio }) => change(ratio.p99) },
        ],
        neighbours,
      );
}

function sampleOf({ kind, reaction, sample }: Row): Markup | string {
  return sample === null || sample.request === undefined
    ? ''
    : html`
<details><summary>First <code>${kind}</code> with <code>${reaction}</code></summary>
<p class="note">At ${duration(sample.atSeconds)}, operation ${sample.operation}. ${sample.detail}</p>
<p class="note">Request</p><pre tabindex="0">${clip(sample.request, sampleLimit)}</pre>
${sample.response === undefined ? '' : html`<p class="note">Response</p><pre tabindex="0">${clip(sample.response, sampleLimit)}</pre>`}</details>`;
}
