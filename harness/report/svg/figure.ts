import { type Fragment, html, type Markup } from '../html/markup.js';

interface KeyEntry {
  readonly name: string;
  readonly style: string;
  readonly shape: 'line' | 'area';
}

interface FigureTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string;
}

/** A chart with its heading, its key, a description for readers who do not see it, and its numbers as a table. */
interface Figure {
  readonly id: string;
  readonly title: string;
  /** One or two sentences on what is shown, with the extremes. */
  readonly description: string;
  /** What a reader needs to know to read it. */
  readonly caption?: Fragment;
  readonly keys: readonly KeyEntry[];
  /** Instead of `keys`. */
  readonly scale?: Markup;
  readonly height: number;
  readonly width: number;
  readonly body: Markup;
  readonly table: FigureTable;
}

export function figure({ id, title, description, caption, keys, scale, height, width, body, table }: Figure): Markup {
  return html`
<figure id="${id}">
<figcaption><h3>${title}</h3>${caption === undefined ? '' : html`<p>${caption}</p>`}</figcaption>
${scale ?? ''}${keys.length < 2 ? '' : html`<ul class="key">${keys.map(keyEntry)}</ul>`}
<div class="plot"><svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>${body}</svg></div>
<details><summary>Numbers of this chart</summary>${dataTable(title, table)}</details>
</figure>`;
}

export function emptyFigure(id: string, title: string, text: string): Markup {
  return html`
<figure id="${id}"><figcaption><h3>${title}</h3></figcaption><p class="empty">${text}</p></figure>`;
}

function keyEntry({ name, style, shape }: KeyEntry): Markup {
  return html`<li><svg class="swatch" viewBox="0 0 26 10" aria-hidden="true">${
    shape === 'line'
      ? html`<line class="line ${style}" x1="1" x2="25" y1="5" y2="5"/>`
      : html`<rect class="fill ${style}" x="1" y="0" width="24" height="10"/>`
  }</svg>${name}</li>`;
}

function dataTable(title: string, { head, rows, note }: FigureTable): Markup {
  return html`
<div class="scroll" role="region" tabindex="0" aria-label="${title}: numbers"><table class="data"><thead><tr>${head.map(
    (cell) => html`<th scope="col">${cell}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>
${note === undefined ? '' : html`<p class="note">${note}</p>`}`;
}
