/** Colors as functions from text to text. Without color they return the text as it is. */
import type { Answer } from '../../analysis/statistics/decide.js';
import type { Output } from '../host.js';
import { ESC } from './safe-text.js';

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

export type Paint = (text: string) => string;

function paint(open: number, close: number): Paint {
  return (text) => `${ESC}[${open}m${text}${ESC}[${close}m`;
}

const asIs: Paint = (text) => text;

const colored: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
};
export const plain: Style = { bold: asIs, dim: asIs, red: asIs, green: asIs, yellow: asIs, cyan: asIs };

/** NO_COLOR (no-color.org) and `--no-color` override FORCE_COLOR, which overrides whether the stream is a terminal. */
export function styleFor(output: Output, env: Readonly<Record<string, string | undefined>>, wanted = true): Style {
  if (!wanted || isSet(env.NO_COLOR)) return plain;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR === '0' ? plain : colored;
  return output.isTTY && env.TERM !== 'dumb' ? colored : plain;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

const ESCAPES = new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]`, 'g');
const PIECES = new RegExp(`(${ESC}\\[[0-9;?]*[A-Za-z])`);

/** Text of somebody else's, such as a description, on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Columns that the text takes: every character we print is one column wide. */
export function visibleLength(text: string): number {
  return text.replaceAll(ESCAPES, '').length;
}

/** Cuts the text to `columns` with an ellipsis; keeps all escape sequences, so that colors end. */
export function fitTo(columns: number, text: string): string {
  if (visibleLength(text) <= columns) return text;
  let room = Math.max(0, columns - 1);
  let fitted = '';
  for (const piece of text.split(PIECES)) {
    if (piece.startsWith(ESC)) fitted += piece;
    else {
      fitted += piece.slice(0, room);
      room -= Math.min(room, piece.length);
    }
  }
  return `${fitted}…`;
}

/** The color of what a comparison says of a rule. */
export function paintOf(answer: Answer, style: Style): Paint {
  switch (answer) {
    case 'regressed':
      return style.red;
    case 'inconclusive':
      return style.yellow;
    case 'improved':
    case 'equivalent':
      return style.green;
  }
}
