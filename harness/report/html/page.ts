/** `report.html`: one file, no script, nothing fetched. */
import type { Report } from '../schema.js';
import { affinitySection } from '../sections/affinity/section.js';
import { breakdownSection, replicasTable, workersTable } from '../sections/breakdown/section.js';
import {
  balanceSection,
  environmentSection,
  eventsSection,
  preflightSection,
  workloadSection,
} from '../sections/environment/section.js';
import { errorsSection } from '../sections/errors/section.js';
import { faultsSection } from '../sections/faults/section.js';
import { misbehaviourSection } from '../sections/misbehaviour/section.js';
import { memoryTable } from '../sections/resources/memory.js';
import { streamsSection } from '../sections/streams/section.js';
import { thresholdsSection } from '../sections/thresholds/section.js';
import { generatorCharts, latencyCharts, loadCharts, resourceCharts, timeContext } from '../sections/time-charts.js';
import { head } from './head.js';
import { html, type Markup } from './markup.js';
import { masthead, verdictSection } from './verdict.js';

const places = [
  ['thresholds', 'Thresholds'],
  ['faults', 'Faults'],
  ['load', 'Load'],
  ['latency', 'Latency'],
  ['errors', 'Errors'],
  ['misbehaviour', 'Misbehaviour'],
  ['affinity', 'Affinity'],
  ['generator', 'Generator'],
  ['resources', 'Resources'],
  ['streams', 'Streams'],
  ['breakdown', 'Breakdown'],
  ['workload', 'Workload'],
  ['environment', 'Environment'],
  ['balance', 'Balance'],
] as const;

/** Sections that a run without load does not have. */
const measured: ReadonlySet<string> = new Set([
  'load',
  'latency',
  'errors',
  'misbehaviour',
  'affinity',
  'generator',
  'resources',
  'streams',
  'breakdown',
]);

function has(report: Report, id: string): boolean {
  if (id === 'faults') return report.faults.length > 0;
  if (id === 'misbehaviour' && report.misbehaviour.length === 0) return false;
  if (id === 'affinity' && report.affinity === null) return false;
  if (id === 'streams' && report.streams === undefined) return false;
  return report.timeline.length > 0 || !measured.has(id);
}

export function renderHtml(report: Report): string {
  return html`${head(`${report.run.scenario}: ${report.verdict.kind}`)}
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
<header>${masthead(report)}</header>
<main>
${verdictSection(report)}
<nav aria-label="Sections"><ul>${places.filter(([id]) => has(report, id)).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${preflightSection(report)}
${thresholdsSection(report)}
${faultsSection(report)}
${report.timeline.length === 0 ? html`<p class="empty">The load never began, so there is nothing measured to show.</p>` : measurements(report)}
${eventsSection(report)}
${workloadSection(report)}
${environmentSection(report)}
${balanceSection(report)}
</main>
<footer>Rendered by swarmbench ${report.run.version} from report.json, which holds every number shown and more.</footer>
</body>
</html>
`.text;
}

function measurements(report: Report): Markup {
  const time = timeContext(report);
  return html`
${loadCharts(report, time)}
${latencyCharts(report, time)}
${errorsSection(report, time)}
${misbehaviourSection(report)}
${affinitySection(report)}
<h2 id="generator">Generator</h2>
${generatorCharts(report, time)}
${workersTable(report)}
<h2 id="resources">Resources</h2>
${resourceCharts(report, time)}
${replicasTable(report)}
${memoryTable(report)}
${streamsSection(report)}
${breakdownSection(report)}`;
}
