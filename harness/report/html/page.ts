import type { Report } from '../schema.js';
import { lengthOf } from '../sections/load/timeline.js';
import type { SectionView } from '../sections/report-section.js';
import { sections } from '../sections.js';
import type { TimeContext } from '../svg/frame.js';
import { head } from './head.js';
import { html, type Markup } from './markup.js';
import { withinLimit } from './table.js';
import { masthead, verdictSection } from './verdict.js';

/** `report.html`: one file, no script, nothing fetched. */

const views: readonly SectionView<Report>[] = sections;

export function renderHtml(report: Report): string {
  const shown = views.filter((view) => isShown(view, report));
  const page = html`${head(`${report.run.scenario}: ${report.verdict.kind}`)}
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
  return withinLimit(page, MOST_BYTES);
}

/** A page that every browser opens at once, and every mail takes. */
const MOST_BYTES = 2_000_000;

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

/** What every chart over run time shows: the stages, the numbered events, and the faults. */
export function timeContext(report: Report): TimeContext {
  const { stages, events, faults } = report;
  const endSeconds = secondsShown(report);
  return {
    endSeconds,
    bands: stages.map(({ name, measured, startSeconds, durationSeconds }) => ({
      name,
      measured,
      from: startSeconds,
      to: startSeconds + durationSeconds,
    })),
    marks: events.flatMap(({ t, text }, at) => (t === null ? [] : [{ x: t, number: at + 1, text }])),
    shades: faults.flatMap(({ id, kind, target, atSeconds, undoneAtSeconds }) =>
      atSeconds === null
        ? []
        : [{ from: atSeconds, to: undoneAtSeconds ?? endSeconds, text: `fault ${id} (${kind}): ${target}` }],
    ),
  };
}

/** Without the quiet seconds of the drain, which would look as if the target had stopped. */
function secondsShown({ timeline, stages }: Report): number {
  const planned = stages.reduce(
    (end, { startSeconds, durationSeconds }) => Math.max(end, startSeconds + durationSeconds),
    0,
  );
  const busy = timeline.findLast(({ sent, succeeded, failed, lost }) => sent + succeeded + failed + lost > 0);
  return Math.max(1, Math.ceil(planned - 0.1), busy === undefined ? 1 : busy.t + lengthOf(busy));
}
