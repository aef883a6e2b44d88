import { tidy } from '../tidy.js';

/** HTML or SVG. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Fragment = Markup | string | number | undefined | readonly Fragment[];

/** A tagged template for HTML and SVG: every value is escaped, unless it is markup already. */
export function html(strings: TemplateStringsArray, ...values: readonly Fragment[]): Markup {
  return new Markup(strings.reduce((text, part, at) => text + render(values[at - 1]) + part));
}

/** For text that is markup by construction, such as a style sheet; never for anything from a log. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function render(value: Fragment): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
function escapeText(text: string): string {
  return tidy(text, 100_000).replaceAll(/[&<>"'`]/g, (character) => entities[character] ?? '');
}
