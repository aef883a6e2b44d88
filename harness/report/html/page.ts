/** `report.html`: one file, no script, nothing fetched. */
import type { Report } from '../schema.js';
import type { SectionView } from '../sections/report-section.js';
import { sections } from '../sections.js';
import { head } from './head.js';
import { html, type Markup } from './markup.js';
import { timeContext } from './time-context.js';
import { masthead, verdictSection } from './verdict.js';

const views: readonly SectionView<Report>[] = sections;

export function renderHtml(report: Report): string {
  const shown = views.filter((view) => isShown(view, report));
  return html`${head(`${report.run.scenario}: ${report.verdict.kind}`)}
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
<header>${masthead(report)}</header>
<main>
${verdictSection(report)}
${navigation(shown)}
${report.timeline.length === 0 ? withoutLoad(report, shown) : markupOf(report, shown)}
</main>
<footer>Rendered by swarmbench ${report.run.version} from report.json, which holds every number shown and more.</footer>
</body>
</html>
`.text;
}

function isShown({ html: body, needsLoad, when }: SectionView<Report>, report: Report): boolean {
  return body !== undefined && (needsLoad !== true || report.timeline.length > 0) && (when?.(report) ?? true);
}

function navigation(shown: readonly SectionView<Report>[]): Markup {
  const listed = shown.filter(({ unlisted }) => unlisted !== true);
  const links = listed.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  return html`<nav aria-label="Sections"><ul>${links}</ul></nav>`;
}

function markupOf(report: Report, shown: readonly SectionView<Report>[]): readonly Markup[] {
  const time = timeContext(report);
  return shown.map(
    ({ id, title, html: body }) => html`
<h2 id="${id}">${title}</h2>
${body?.(report, time)}`,
  );
}

/** In place of the charts, a sentence says why there are none. */
function withoutLoad(report: Report, shown: readonly SectionView<Report>[]): readonly Markup[] {
  const firstChart = views.findIndex(({ needsLoad }) => needsLoad === true);
  const before = shown.filter((view) => views.indexOf(view) < firstChart);
  const after = shown.filter((view) => views.indexOf(view) > firstChart);
  return [
    ...markupOf(report, before),
    html`
<p class="empty">The load never began, so nothing was measured.</p>`,
    ...markupOf(report, after),
  ];
}
