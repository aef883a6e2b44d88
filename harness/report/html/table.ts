import { type Fragment, html, type Markup } from './markup.js';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Fragment;
  /** Left-aligned, may wrap. */
  readonly text?: boolean;
}

/** First column heads its row. Scrolls by itself when it is wider than the page, reachable by keyboard. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  rowClass?: (row: Row) => string,
): Markup {
  return html`
<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map(({ head, text }) => html`<th scope="col"${kind(text)}>${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr class="${rowClass?.(row) ?? ''}">${columns.map(({ cell, text }, at) => (at === 0 ? html`<th scope="row">${cell(row)}</th>` : html`<td${kind(text)}>${cell(row)}</td>`))}</tr>`)}</tbody></table></div>`;
}

function kind(text: boolean | undefined): Markup {
  return text === true ? html` class="text"` : html``;
}
