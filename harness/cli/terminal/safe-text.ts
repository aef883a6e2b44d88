/**
 * Text for a terminal or the log of a pipeline. All that is for people goes through here on its way out, so that what
 * a target says (its name, its errors, the output of its container) cannot move the cursor, rename the window, run
 * backwards or give orders to the pipeline.
 */
import { randomBytes } from 'node:crypto';

/**
 * Stands for the ESC of our own colours and cursor movements until the text is written. It is another one in each
 * process, so no text from elsewhere can hold it.
 */
export const ESC = `\uE000${randomBytes(8).toString('hex')}\uE001`;

/**
 * Controls of ASCII and Latin-1 except tab and line feed; marks that change the direction of text (Unicode TR9);
 * characters that end lines or cannot be seen; tags, with which text can be hidden in emoji.
 */
const UNSAFE = new RegExp(
  '[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb]' +
    '|\\udb40[\\udc00-\\udc7f]',
  'g',
);

/** How pipelines take orders: `::error::` at the start of a line (GitHub), `##[`, `##vso[`, `##teamcity[` anywhere. */
const ORDER_AT_LINE_START = /^([^\S\n]*):(?=:)/gm;
const ORDER_ANYWHERE = /#(?=#(?:\[|vso\[|teamcity\[))/gi;

/** Controls become `\u001b`, as in JSON: people see them, and JSON in which they stand still means the same. */
export function withoutControls(text: string): string {
  return text
    .split(ESC)
    .map((part) => part.replaceAll('\r\n', '\n').replaceAll(UNSAFE, escaped))
    .join(ESC);
}

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, index) => escapedUnit(characters.charCodeAt(index))).join('');
}

function escapedUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** The text as it may be written, with our own sequences in effect. */
export function forTerminal(text: string): string {
  return withoutControls(text)
    .replaceAll(ORDER_AT_LINE_START, (_, indent: string) => `${indent}${escapedUnit(':'.charCodeAt(0))}`)
    .replaceAll(ORDER_ANYWHERE, escapedUnit('#'.charCodeAt(0)))
    .replaceAll(ESC, '\x1b');
}
