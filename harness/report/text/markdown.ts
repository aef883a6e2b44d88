/** `report.md`: fits a CI job's summary page. */
import { significant } from '../../analysis/format.js';
import type { Report } from '../schema.js';
import type { SectionView } from '../sections/report-section.js';
import { markdownFirst, sections } from '../sections.js';
import { bullets, text } from './markdown-table.js';

const marks = { passed: '✅ passed', failed: '❌ failed', invalid: '⚠️ invalid', incomplete: '⛔ incomplete' } as const;

const views: readonly SectionView<Report>[] = sections;
const inOrder = [
  ...markdownFirst.flatMap((first) => views.find(({ id }) => id === first) ?? []),
  ...views.filter(({ id }) => !markdownFirst.includes(id)),
];

export function renderMarkdown(report: Report): string {
  const { run, verdict, notes } = report;
  return `${[
    `## ${marks[verdict.kind]}: ${text(run.scenario)}`,
    bullets(verdict.reasons),
    bullets(notes.map((note) => `Note: ${note}`)),
    ...inOrder.map(({ markdown }) => markdown?.(report) ?? ''),
    `Run \`${run.id.replaceAll('`', '')}\`, seed ${run.seed}, ${significant(run.durationSeconds)} s. ` +
      'The rest is in `report.html` and `report.json` beside this file.',
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}
