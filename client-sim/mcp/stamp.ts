import { writeInteger } from './digits.js';

/**
 * The stamp in each publication: the publisher, its sequence number, and its due time, for the subscribers that receive
 * it:
 *
 *   swb1 <clock> <error> <start> <publisher> <number> <due>
 *
 * clock: the monotonic clock (one for each running kernel), 8 hex digits · error: by how much the publisher's start of
 * the run may differ from the controller's, microseconds · start of the run and due time of the publication:
 * microseconds on that clock · publisher: slot of the client · number: from 0, without gaps for what was sent.
 */
export interface Stamp {
  /** `swb1 <clock> <error> <start> `: the same for everything one engine thread publishes. */
  readonly origin: Buffer;
  number: number;
  /** Whole microseconds. */
  dueUs: number;
}

const MARK = 'swb1 ';
const NO_ORIGIN = Buffer.from(`${MARK}00000000 0 0 `, 'latin1');
/** Six numbers of at most 16 digits, the clock, the mark and the spaces. */
export const STAMP_BYTES = 128;

/** @param clock 8 hex digits */
export function stampOrigin(clock: string, errorUs: number, startUs: number): Buffer {
  return Buffer.from(`${MARK}${clock} ${Math.ceil(errorUs)} ${Math.round(startUs)} `, 'latin1');
}

/** @param stamp undefined: writes a stamp without an origin, which subscribers ignore */
export function writeStamp(into: Buffer, at: number, publisher: number, stamp: Stamp | undefined): number {
  const origin = stamp?.origin ?? NO_ORIGIN;
  into.set(origin, at);
  let end = writeInteger(into, at + origin.length, publisher);
  into[end++] = SPACE;
  end = writeInteger(into, end, stamp?.number ?? 0);
  into[end++] = SPACE;
  return writeInteger(into, end, stamp?.dueUs ?? 0);
}

const SPACE = 0x20;

export interface ReadStamp {
  readonly clock: string;
  readonly errorUs: number;
  readonly startUs: number;
  readonly publisher: number;
  readonly number: number;
  readonly dueUs: number;
}

const PATTERN = /swb1 ([0-9a-f]{8}) (\d{1,10}) (\d{1,16}) (\d{1,10}) (\d{1,15}) (\d{1,16})(?!\d)/;
const MAX_READ_BYTES = 100;

/**
 * The first stamp in bytes[start, end), wherever the server put it in the message; undefined if there is none, or one
 * without an origin.
 */
export function readStamp(bytes: Buffer, start: number, end: number): ReadStamp | undefined {
  const at = bytes.subarray(start, end).indexOf(MARK, 0, 'latin1');
  if (at < 0) return undefined;
  const [, clock = '', errorUs, startUs, publisher, number, dueUs] =
    PATTERN.exec(bytes.toString('latin1', start + at, Math.min(end, start + at + MAX_READ_BYTES))) ?? [];
  if (clock === '' || clock === '00000000') return undefined;
  return {
    clock,
    errorUs: Number(errorUs),
    startUs: Number(startUs),
    publisher: Number(publisher),
    number: Number(number),
    dueUs: Number(dueUs),
  };
}
