/** `index.html` of a suite: one file, no script, nothing fetched. */
import { formatAs, formatMs, significant } from '../analysis/format.js';
import { head } from '../report/html/head.js';
import { type Fragment, html, type Markup } from '../report/html/markup.js';
import { type Column, table } from '../report/html/table.js';
import { duration, ms, rate, share } from '../report/values.js';
import { axisChart } from './axis-chart.js';
import { quantilesOf, type SuiteDocument, type SuiteRow } from './suite-document.js';

const classes = { passed: 'good', failed: 'bad', invalid: 'bad', incomplete: 'quiet', skipped: 'quiet' } as const;

const meanings = {
  passed: 'Every run passed.',
  failed: 'Thresholds of the marked runs do not hold.',
  invalid: 'The measurement of the marked runs cannot be trusted.',
  incomplete: 'Runs are missing, or did not come to their end.',
} as const;

export function renderSuite(document: SuiteDocument): string {
  const { name, description, verdict, rows, startedAt, version, command } = document;
  const passed = rows.filter((row) => row.verdict === 'passed').length;
  return html`${head(`${name}: ${verdict}`)}
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
<header>
<h1>${name}</h1>
${description === undefined ? '' : html`<p>${description}</p>`}
<p class="meta"><span>Suite of ${rows.length} runs</span>
<span>${startedAt.slice(0, 19).replace('T', ' ')} UTC</span></p>
</header>
<main>
<section class="verdict ${verdict}" id="verdict" aria-label="Verdict">
<h2>${verdict}</h2>
<p class="means">${meanings[verdict]} ${passed} of ${rows.length} passed.</p>
</section>
<h2 id="runs">Runs</h2>
${table('Runs', columnsOf(rows), rows, 'suite.json')}
${chartsOf(document)}
${reasonsOf(rows)}
</main>
<footer>Rendered by swarmbench ${version} from suite.json, which holds every number shown. Command: ${command}</footer>
</body>
</html>
`.text;
}

function columnsOf(rows: readonly SuiteRow[]): readonly Column<SuiteRow>[] {
  const figure = (name: string, cell: (figures: NonNullable<SuiteRow['figures']>) => string): Column<SuiteRow> => ({
    head: name,
    cell: ({ figures }) => (figures === null ? '–' : cell(figures)),
  });
  return [
    { head: 'Run', cell: ({ title, folder }) => (folder === null ? title : link(`${folder}/report.html`, title)) },
    { head: 'Verdict', cell: ({ verdict }) => html`<span class="${classes[verdict]} mark-cell">${verdict}</span>` },
    figure('Throughput', ({ throughputPerSecond }) => rate(throughputPerSecond)),
    figure('Errors', ({ errorRate }) => share(errorRate)),
    ...quantilesOf(rows).map((name) => figure(name, ({ latencyMs }) => ms(latencyMs[name] ?? null))),
    { head: 'Thresholds', cell: thresholdsCell, text: true },
    { head: 'Took', cell: ({ durationSeconds }) => (durationSeconds === null ? '–' : duration(durationSeconds)) },
  ];
}

function link(target: string, text: string): Markup {
  return html`<a href="${target}">${text}</a>`;
}

function thresholdsCell({ thresholds }: SuiteRow): Fragment {
  if (thresholds.length === 0) return '–';
  const broken = thresholds.filter(({ passed }) => !passed);
  if (broken.length === 0) return `${thresholds.length} of ${thresholds.length} hold`;
  return broken.map(
    ({ check, unit, actual }, at) =>
      html`${at > 0 ? '; ' : ''}<code>${check}</code> ${actual === null ? 'no data' : formatAs(unit, actual)}`,
  );
}

/** For each axis, its runs against the values on it; what differs on the other axes is a line of its own. */
function chartsOf({ axes, rows }: SuiteDocument): Markup | string {
  if (axes.length === 0) return '';
  const charts = axes.map(({ name, values }) => {
    const others = (row: SuiteRow): string =>
      [
        row.scenario,
        ...axes.filter((axis) => axis.name !== name).map((axis) => `${axis.name} ${row.axes[axis.name] ?? '–'}`),
      ].join(', ');
    const of = rows.filter((row) => row.axes[name] !== undefined && row.figures !== null);
    const groups = [...new Set(of.map(others))].map((group) => ({
      group,
      own: of.filter((row) => others(row) === group),
    }));
    const chart = (id: string, title: string, format: (value: number) => string, pick: Pick): Markup =>
      axisChart({
        id: `${id}-${name.replaceAll(/[^a-z0-9]+/gi, '-')}`,
        title: `${title} by ${name}`,
        caption: 'Each dot is a run; the line goes through the mean of its trials.',
        axis: name,
        values,
        format,
        series: groups.map(({ group, own }) => ({
          name: group,
          ys: values.map((value) => own.filter((row) => row.axes[name] === value).flatMap((row) => pick(row) ?? [])),
        })),
      });
    const tail = quantilesOf(rows).includes('p95') ? 'p95' : (quantilesOf(rows).at(-1) ?? 'p95');
    return html`<h2 id="axis-${name}">${name}</h2>
${chart('latency', `Latency ${tail}`, formatMs, ({ figures }) => figures?.latencyMs[tail])}
${chart(
  'throughput',
  'Succeeded a second',
  (value) => `${significant(value)}/s`,
  ({ figures }) => figures?.throughputPerSecond,
)}`;
  });
  return html`${charts}`;
}

type Pick = (row: SuiteRow) => number | null | undefined;

function reasonsOf(rows: readonly SuiteRow[]): Markup | string {
  const told = rows.filter(({ reasons }) => reasons.length > 0);
  if (told.length === 0) return '';
  return html`<h2 id="reasons">Reasons</h2>
${told.slice(0, 50).map(
  ({ title, verdict, reasons }) => html`<h3>${title}: ${verdict}</h3>
<ul>${reasons.slice(0, 10).map((reason) => html`<li>${reason}</li>`)}</ul>`,
)}`;
}
