/** What all charts over run time share: axes, grid, stage bands, marks for events. Sizes are viewBox units. */
import { html, type Markup } from '../html/markup.js';
import { clock, type Scale } from './scale.js';

export const plot = { left: 68, right: 14, top: 26, bottom: 30 } as const;

/** Two charts side by side are drawn small, not shrunk: text keeps its size. */
export const widths = { full: 1080, half: 524 } as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Band {
  readonly name: string;
  readonly measured: boolean;
  readonly from: number;
  readonly to: number;
}
interface Mark {
  readonly x: number;
  /** As the table of events numbers it. */
  readonly number: number;
  readonly text: string;
}
/** A stretch of time in which something was changed on purpose. */
interface Shade {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}
export interface TimeContext {
  readonly endSeconds: number;
  readonly bands: readonly Band[];
  readonly marks: readonly Mark[];
  readonly shades: readonly Shade[];
}

/** One decimal is a tenth of a pixel. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function frame(
  x: Scale,
  y: Scale,
  { width, height }: Size,
  { endSeconds, bands, marks, shades }: TimeContext,
  yLabel: (value: number) => string,
): Markup {
  return html`
${bands.map((band) => stageBand(band, x, height))}
${shades.filter(({ from }) => from < endSeconds).map((one) => shade(one, x, height, endSeconds))}
${grid(y, { width, height }, yLabel)}
${x.ticks.map((tick) => xLabel(x.at(tick), { width, height }, clock(tick, endSeconds)))}
${marks
  .filter((mark) => mark.x >= 0 && mark.x <= endSeconds)
  .slice(0, mostMarks)
  .map(
    (mark) =>
      html`<line class="mark" x1="${px(x.at(mark.x))}" x2="${px(x.at(mark.x))}" y1="${plot.top}" y2="${height - plot.bottom}"><title>${mark.text}</title></line><text class="mark-text" x="${px(x.at(mark.x) + 3)}" y="${plot.top + 10}">${mark.number}</text>`,
  )}`;
}

function shade({ from, to, text }: Shade, x: Scale, height: number, endSeconds: number): Markup {
  const [left, right] = [x.at(Math.max(0, from)), x.at(Math.min(to, endSeconds))];
  return html`<rect class="shade" x="${px(left)}" y="${plot.top}" width="${px(Math.max(1, right - left))}" height="${height - plot.top - plot.bottom}"><title>${text}</title></rect>`;
}

/** More than this is a fence, not a mark. */
const mostMarks = 40;

export function grid(y: Scale, { width, height }: Size, yLabel: (value: number) => string): Markup {
  return html`
<line class="axis" x1="${plot.left}" x2="${width - plot.right}" y1="${height - plot.bottom}" y2="${height - plot.bottom}"/>
${y.ticks.map((tick) => html`<line class="grid" x1="${plot.left}" x2="${width - plot.right}" y1="${px(y.at(tick))}" y2="${px(y.at(tick))}"/><text class="tick" x="${plot.left - 8}" y="${px(y.at(tick) + 4)}" text-anchor="end">${yLabel(tick)}</text>`)}`;
}

/** Under its tick, but never past the edge of the picture. */
export function xLabel(at: number, { width, height }: Size, text: string): Markup {
  const atEdge = at + (text.length * letterPx) / 2 > width;
  return html`<text class="tick" x="${atEdge ? width : px(at)}" y="${height - plot.bottom + 18}" text-anchor="${atEdge ? 'end' : 'middle'}">${text}</text>`;
}

/** Room for a letter of a stage's name. */
const letterPx = 6.4;

function stageBand({ name, measured, from, to }: Band, x: Scale, height: number): Markup {
  const [left, right] = [x.at(from), x.at(to)];
  const room = Math.floor((right - left - 10) / letterPx);
  const full = measured ? name : `${name} · not measured`;
  const label =
    full.length <= room ? full : name.length <= room ? name : room >= 4 ? `${name.slice(0, room - 1)}…` : '';
  return html`<rect class="${measured ? 'band measured' : 'band'}" x="${px(left)}" y="${plot.top}" width="${px(Math.max(0, right - left))}" height="${height - plot.top - plot.bottom}"><title>${full}</title></rect>
<line class="edge" x1="${px(left)}" x2="${px(left)}" y1="${plot.top - 14}" y2="${height - plot.bottom}"/>
<text class="stage" x="${px(left + 5)}" y="${plot.top - 8}">${label}</text>`;
}
