import type { Problem } from '../measure/failure.js';
import { boundTo, type DrawnRules } from './expectation.js';
import { judgeMessage, violation } from './judge-message.js';

/** Bodies up to this size are always parsed when no pattern matches. */
export const ALWAYS_PARSED_BYTES = 65_536;
/** One in this many of the longer ones is parsed. */
const PARSED_OF_LONG = 16;
/** The id of a long body is searched within this distance from either end. */
const NEAR_BYTES = 256;

/**
 * Judges one JSON-RPC answer that no learned pattern matched.
 *
 * A body above 64 KiB is parsed one time in 16. Otherwise its ends are checked (an object that opens and closes, our id
 * at head or tail, a result, no sign of an error), because JSON.parse of a megabyte (5 ms) would make the client
 * the bottleneck. So a long body that is broken only in the middle can pass. With a sign of an error anywhere
 * (`"error"`, `"isError"` other than false, `"input_required"`, an escape for a letter, which could hide one of them)
 * it is parsed.
 *
 * @param turn counts the answers; it determines which long ones are parsed
 * @param rules of the operation
 * @returns undefined for a correct answer
 */
export function scanAnswer(
  bytes: Buffer,
  start: number,
  end: number,
  id: number,
  turn: number,
  rules?: DrawnRules,
): Problem | undefined {
  if (
    rules?.judgesAll !== true &&
    end - start > ALWAYS_PARSED_BYTES &&
    turn % PARSED_OF_LONG !== 0 &&
    looksCorrect(bytes.subarray(start, end), id)
  )
    return undefined;
  const parsed = parseMessage(bytes, start, end);
  if (!parsed.ok) return violation(parsed.problem);
  return judgeMessage(parsed.value, id, boundTo(rules, end - start));
}

const BYTE_ORDER_MARK = 0xfeff;

type ParsedMessage = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

export function parseMessage(bytes: Buffer, start: number, end: number): ParsedMessage {
  if (end === start) return { ok: false, problem: 'the answer has an empty body' };
  return parseText(bytes.toString('utf8', start, end));
}

/**
 * A message as text. A byte order mark before it is ignored (RFC 8259, 8.1), and a list of one message is that message,
 * as for the official client: a batch of one, which revision 2025-03-26 has.
 */
export function parseText(text: string): ParsedMessage {
  try {
    const value = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text) as unknown;
    return { ok: true, value: Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value };
  } catch (error) {
    return {
      ok: false,
      problem: `the body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`,
    };
  }
}

function looksCorrect(body: Buffer, id: number): boolean {
  const head = body.toString('latin1', 0, NEAR_BYTES);
  const tail = body.toString('latin1', body.length - NEAR_BYTES);
  const member = new RegExp(`"id"\\s*:\\s*${id}(?![0-9.eE])`);
  const isOurs = /^\s*\{/.test(head) && /\}\s*$/.test(tail) && (member.test(head) || member.test(tail));
  return (
    isOurs &&
    body.includes('"result"') &&
    !body.includes('"error"') &&
    !body.includes('"input_required"') &&
    !mayBeToolError(body) &&
    !LETTER_ESCAPES.some((prefix) => body.includes(prefix))
  );
}

/** Beginnings of escapes for 0x40 to 0x7f: letters, which serializers do not escape. */
const LETTER_ESCAPES = ['\\u004', '\\u005', '\\u006', '\\u007'] as const;

function mayBeToolError(body: Buffer): boolean {
  const at = body.indexOf('"isError"');
  if (at < 0) return false;
  return !/^"isError"\s*:\s*false/.test(body.toString('latin1', at, at + 64)) || body.indexOf('"isError"', at + 1) >= 0;
}
