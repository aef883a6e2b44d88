import { type Fragment, html, type Markup } from './markup.js';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Fragment;
  /** Left-aligned, and may wrap. */
  readonly text?: boolean;
}

/** The first column heads its row. A table that is wider than the page scrolls by itself, also by keyboard. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  return html`
<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map(headCell)}</tr></thead>
<tbody>${rows.map((row) => bodyRow(columns, row))}</tbody></table></div>`;
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
