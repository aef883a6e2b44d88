/** Pieces of a Markdown document whose texts come from a server or an author. */
import { formatAs, formatMs, significant } from '../../analysis/format.js';
import { type LatencyBlock, quantileOf, shownQuantiles } from '../sections/shared/fields.js';
import { oneLine } from '../tidy.js';
import { beside } from '../values.js';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${text(line, 1000)}`).join('\n');
}

/** Nothing in it is markup: not a link, not a tag, not the end of a cell. */
export function text(raw: string, limit = 300): string {
  return oneLine(raw, limit).replaceAll(/[\\`*_[\]<>#|&@]/g, (character) => entities[character] ?? `\\${character}`);
}

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '&': '&amp;' };

/** @param floor the same times without the generator's own share, where that is known */
export function percentiles(times: LatencyBlock, floor?: LatencyBlock): string {
  if (times.count === 0) return 'no data';
  return [...shownQuantiles(times), ['max', times.max] as const]
    .map(([name, value]) => `${name} ${ms(value)}${beside(value, floorOf(name, floor))}`)
    .join(', ');
}

function floorOf(name: string, floor: LatencyBlock | undefined): number | null | undefined {
  if (floor === undefined) return undefined;
  return name === 'max' ? floor.max : quantileOf(floor, name);
}

export function ms(value: number | null): string {
  return value === null ? '–' : formatMs(value);
}

/** Seconds stay seconds here; the page turns many of them into minutes. */
export function seconds(value: number | null): string {
  return value === null ? '–' : `${significant(value)} s`;
}

export function rate(value: number | null): string {
  return value === null ? 'no data' : formatAs('perSecond', value);
}
