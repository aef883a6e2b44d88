import { html, type Markup } from '../html/markup.js';
import { clock, type Scale } from './scale.js';

/** The margins around the data of every chart; sizes are viewBox units. */
export const plot = { left: 68, right: 14, top: 26, bottom: 30 } as const;

/** Two charts side by side are drawn small, not shrunk: text keeps its size. */
export const widths = { full: 1080, half: 524 } as const;

/** What all charts over run time share. */
export interface TimeContext {
  readonly endSeconds: number;
  readonly bands: readonly Band[];
  readonly marks: readonly Mark[];
  readonly shades: readonly Shade[];
}

/** A stage. */
interface Band {
  readonly name: string;
  readonly measured: boolean;
  readonly from: number;
  readonly to: number;
}

/** An event. */
interface Mark {
  readonly x: number;
  /** Its number in the table of events. */
  readonly number: number;
  readonly text: string;
}

/** A fault, for as long as it lasted. */
interface Shade {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** More marks than this could not be read. */
const mostMarks = 40;
/** Width of a letter, for texts that must fit. */
const letterPx = 6.4;

/** Grid, axes, stages, faults and events. */
export function frame(
  x: Scale,
  y: Scale,
  { width, height }: Size,
  { endSeconds, bands, marks, shades }: TimeContext,
  yLabel: (value: number) => string,
): Markup {
  const shownMarks = marks.filter((mark) => mark.x >= 0 && mark.x <= endSeconds).slice(0, mostMarks);
  return html`
${bands.map((band) => stageBand(band, x, height))}
${shades.filter(({ from }) => from < endSeconds).map((shade) => faultShade(shade, x, height, endSeconds))}
${grid(y, { width, height }, yLabel)}
${x.ticks.map((tick) => xLabel(x.at(tick), { width, height }, clock(tick, endSeconds)))}
${shownMarks.map((mark) => eventMark(mark, x, height))}`;
}

export function grid(y: Scale, { width, height }: Size, yLabel: (value: number) => string): Markup {
  const right = width - plot.right;
  const bottom = height - plot.bottom;
  return html`
<line class="axis" x1="${plot.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
${y.ticks.map((tick) => {
  const at = y.at(tick);
  return html`<line class="grid" x1="${plot.left}" x2="${right}" y1="${px(at)}" y2="${px(at)}"/>
<text class="tick" x="${plot.left - 8}" y="${px(at + 4)}" text-anchor="end">${yLabel(tick)}</text>`;
})}`;
}

/** Under its tick, but within the picture. */
export function xLabel(at: number, { width, height }: Size, text: string): Markup {
  const atEdge = at + (text.length * letterPx) / 2 > width;
  const [x, anchor] = atEdge ? [String(width), 'end'] : [px(at), 'middle'];
  return html`<text class="tick" x="${x}" y="${height - plot.bottom + 18}" text-anchor="${anchor}">${text}</text>`;
}

/** One decimal is a tenth of a pixel. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function stageBand({ name, measured, from, to }: Band, x: Scale, height: number): Markup {
  const [left, right] = [x.at(from), x.at(to)];
  const full = measured ? name : `${name} · not measured`;
  const bottom = height - plot.bottom;
  return html`<rect class="${measured ? 'band measured' : 'band'}" x="${px(left)}" y="${plot.top}"
  width="${px(Math.max(0, right - left))}" height="${bottom - plot.top}"><title>${full}</title></rect>
<line class="edge" x1="${px(left)}" x2="${px(left)}" y1="${plot.top - 14}" y2="${bottom}"/>
<text class="stage" x="${px(left + 5)}" y="${plot.top - 8}">${fitting(full, name, right - left - 10)}</text>`;
}

/** As much of a stage's label as there is room for. */
function fitting(full: string, name: string, widthPx: number): string {
  const room = Math.floor(widthPx / letterPx);
  if (full.length <= room) return full;
  if (name.length <= room) return name;
  return room >= 4 ? `${name.slice(0, room - 1)}…` : '';
}

function faultShade({ from, to, text }: Shade, x: Scale, height: number, endSeconds: number): Markup {
  const [left, right] = [x.at(Math.max(0, from)), x.at(Math.min(to, endSeconds))];
  return html`<rect class="shade" x="${px(left)}" y="${plot.top}" width="${px(Math.max(1, right - left))}"
  height="${height - plot.top - plot.bottom}"><title>${text}</title></rect>`;
}

function eventMark({ x: at, number, text }: Mark, x: Scale, height: number): Markup {
  const left = px(x.at(at));
  return html`<line class="mark" x1="${left}" x2="${left}" y1="${plot.top}" y2="${height - plot.bottom}">
<title>${text}</title></line>
<text class="mark-text" x="${px(x.at(at) + 3)}" y="${plot.top + 10}">${number}</text>`;
}
