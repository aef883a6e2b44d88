import type { MisbehaviourKind } from '../load/draw-misbehaviour.js';
import { isObject } from '../mcp/json-value.js';
import type { Endpoint } from '../protocol/messages.js';

/** A proper message, from which a malformed one is made. */
export interface ProperMessage {
  readonly era: 'legacy' | 'modern';
  readonly id: number;
  readonly body: string;
}

/** The bytes sent for one misbehaviour over a link. */
export interface ForgedMessage {
  /** In the order they are sent. */
  readonly pieces: readonly Buffer[];
  /** How many answers a server would give that finds nothing wrong. */
  readonly answers: number;
  /** The text that the sample in the report shows. */
  readonly text: string;
}

export type ForgeMessage = (
  misbehaviourKind: MisbehaviourKind,
  proper: ProperMessage & { readonly endpoint: Endpoint },
  oversizeBytes: number,
) => ForgedMessage;

export const NO_SUCH_METHOD = 'swarmbench/no-such-method';
/** Holds the bytes that are not UTF-8. MCP allows any key in `_meta`, so nothing else is wrong with the message. */
const META_KEY = 'swarmbench/text';
/** The first of two bytes, followed by one that cannot be the second (RFC 3629, 3). */
const NOT_UTF8 = [0xc3, 0x28] as const;

/**
 * The message of a kind that breaks the content and leaves the framing whole.
 * @returns undefined for all other kinds
 */
export function malformMessage(
  misbehaviourKind: MisbehaviourKind,
  { era, id, body }: ProperMessage,
  oversizeBytes: number,
): Buffer | undefined {
  switch (misbehaviourKind) {
    case 'malformed/broken-json':
      return Buffer.from(body.slice(0, Math.ceil(body.length / 2)), 'utf8');
    case 'malformed/unknown-method':
      // The stateless era requires its envelope with every request, also with an unknown one.
      return Buffer.from(
        JSON.stringify({
          jsonrpc: '2.0',
          id,
          method: NO_SUCH_METHOD,
          params: era === 'modern' ? { _meta: metaOf(body) } : {},
        }),
        'utf8',
      );
    case 'malformed/oversize':
      // White space, which JSON allows in any amount: only the length of the message is wrong.
      return Buffer.from(
        body.slice(0, -1) + ' '.repeat(Math.max(0, oversizeBytes - Buffer.byteLength(body))) + body.slice(-1),
        'utf8',
      );
    case 'malformed/not-utf8':
      return notUtf8(body);
    default:
      return undefined;
  }
}

function notUtf8(body: string): Buffer {
  const message = JSON.parse(body) as Record<string, unknown>;
  const params = isObject(message.params) ? message.params : {};
  const bytes = Buffer.from(
    JSON.stringify({ ...message, params: { ...params, _meta: { ...metaOf(body), [META_KEY]: '??' } } }),
    'utf8',
  );
  bytes.set(NOT_UTF8, bytes.indexOf(`"${META_KEY}":"??"`) + META_KEY.length + 4);
  return bytes;
}

function metaOf(body: string): Record<string, unknown> {
  const { params } = JSON.parse(body) as { readonly params?: unknown };
  return isObject(params) && isObject(params._meta) ? params._meta : {};
}

/** As much of the bytes as a sample could show. */
export function sampleText(bytes: Buffer): string {
  return bytes.toString('utf8', 0, 4096);
}
