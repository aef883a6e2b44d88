import { type Fragment, html, type Markup, trusted } from './markup.js';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Fragment;
  /** Left-aligned, and may wrap. */
  readonly text?: boolean;
}

/** The most rows that are in sight, and the most that are folded below them. */
export const MOST_ROWS = 50;
const MOST_FOLDED = 200;

/**
 * The first column heads its row. A table that is wider than the page scrolls by itself, also by keyboard. Of more than
 * fifty rows, the others are folded.
 * @param csv the file that has all rows, where there is one (`long-lists.ts`)
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  csv?: string,
): Markup {
  return html`${rowsTable(caption, columns, rows.slice(0, MOST_ROWS))}${folded(caption, columns, rows, csv)}`;
}

function rowsTable<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  return html`
<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map(headCell)}</tr></thead>
<tbody>${rows.map((row) => bodyRow(columns, row))}</tbody></table></div>`;
}

/** Marks what the page may leave out where it would be too large (`withinLimit`). */
const [foldBegins, foldEnds] = ['<!--folded-->', '<!--/folded-->'];

function folded<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  csv: string | undefined,
): Markup | string {
  const rest = rows.slice(MOST_ROWS, MOST_ROWS + MOST_FOLDED);
  if (rest.length === 0) return '';
  const all = csv === undefined ? 'All of them are in report.json.' : `All of them are in ${csv}.`;
  return html`
<p class="note">The first ${MOST_ROWS} of ${rows.length} rows. ${all}</p>${trusted(foldBegins)}
<details><summary>${rest.length} more rows</summary>${rowsTable(`${caption}, continued`, columns, rest)}
</details>${trusted(foldEnds)}`;
}

/** The page as it is, or without its folded rows where it has more than so many bytes. */
export function withinLimit(page: string, bytes: number): string {
  if (Buffer.byteLength(page) <= bytes) return page;
  return page
    .split(foldBegins)
    .map((part, at) => (at === 0 ? part : part.slice(part.indexOf(foldEnds) + foldEnds.length)))
    .join('');
}

function bodyRow<Row>(columns: readonly Column<Row>[], row: Row): Markup {
  return html`<tr>${columns.map((column, at) => bodyCell(column, row, at === 0))}</tr>`;
}

function headCell<Row>({ head, text }: Column<Row>): Markup {
  return html`<th scope="col"${textClass(text)}>${head}</th>`;
}

function bodyCell<Row>({ cell, text }: Column<Row>, row: Row, headsRow: boolean): Markup {
  return headsRow ? html`<th scope="row">${cell(row)}</th>` : html`<td${textClass(text)}>${cell(row)}</td>`;
}

function textClass(text: boolean | undefined): Markup {
  return text === true ? html` class="text"` : html``;
}
