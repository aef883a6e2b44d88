import type { OperationPlan } from '../../scenarios/schema/plan.js';
import type { Placeholder, Template } from '../../scenarios/schema/template.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import { FIRST_ID, writeId } from './digits.js';
import type { Draw } from './draw.js';
import { compileExpectation } from './expectation.js';
import { encodeHeaderValue } from './header-value.js';
import { compileParamHeaders, type HeldClock } from './param-headers.js';
import { drawnPiece, fixedPiece, type Piece } from './piece.js';
import type { FixedBody, RequestTemplate } from './request-template.js';
import { CLIENT_INFO, type ClientInfo, metaEnvelope } from './revisions.js';
import { WordView } from './words.js';

const BEFORE_ID = '{"jsonrpc":"2.0","id":';
const ID_AT = BEFORE_ID.length;

/**
 * One operation as bytes: what never changes is laid out once, drawn values are written in place (measured: copy and
 * patch 29 ns, JSON.stringify and Buffer.from 640 ns a request).
 *
 * @param index dense number of the operation within its profile
 * @throws TypeError when `params` is neither an object nor empty: JSON-RPC of MCP knows only named parameters
 */
export function compileRequest(
  operation: OperationPlan,
  index: number,
  protocol: PinnedProtocol,
  clientInfo: ClientInfo = CLIENT_INFO,
): RequestTemplate {
  const params =
    protocol.era === 'modern' ? withMeta(operation.params, protocol.version, clientInfo) : operation.params;
  const parts: (string | Placeholder)[] = [`${BEFORE_ID}${FIRST_ID},"method":${JSON.stringify(operation.method)}`];
  if (!isEmpty(params)) {
    parts.push(',"params":');
    flatten(params, parts);
  }
  parts.push('}');
  const clocks = new Map<number, HeldClock>();
  const paramHeaders =
    protocol.era === 'modern' && operation.paramHeaders !== undefined
      ? compileParamHeaders(params, operation.paramHeaders, clocks)
      : undefined;
  const pieces = toPieces(parts, clocks);
  return {
    index,
    method: operation.method,
    paramHeaders,
    nameHeader: operation.target === undefined ? undefined : encodeHeaderValue(operation.target),
    expectation: operation.expect === undefined ? undefined : compileExpectation(operation.expect),
    maxBodyBytes: pieces.reduce((sum, piece) => sum + piece.maxBytes, 0),
    fixed: fixedBody(pieces),
    writeBody(into, offset, id, draw) {
      let at = offset;
      for (let piece = 0; piece < pieces.length; piece++) at = (pieces[piece] as Piece).write(into, at, draw);
      writeId(words.of(into), offset + ID_AT, id);
      return at - offset;
    },
  };
}

/** One view for all templates: there are few send buffers. */
const words = new WordView();

/** Beyond this, laying out what is drawn over costs more than the copies it saves. */
const MOST_FIXED_BYTES = 2_048;

function fixedBody(pieces: readonly Piece[]): FixedBody | undefined {
  const length = pieces.reduce((sum, piece) => sum + piece.maxBytes, 0);
  if (length > MOST_FIXED_BYTES || !pieces.every((piece) => piece.isFixed === true)) return undefined;
  const drawn: { readonly at: number; readonly piece: Piece }[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (piece.bytes === undefined) drawn.push({ at, piece });
    at += piece.maxBytes;
  }
  return {
    bytes: Buffer.concat(pieces.map((piece) => piece.bytes ?? Buffer.alloc(piece.maxBytes))),
    fill(into, offset, id, draw) {
      for (let index = 0; index < drawn.length; index++) {
        const { at: from, piece } = drawn[index] as (typeof drawn)[number];
        piece.write(into, offset + from, draw);
      }
      writeId(words.of(into), offset + ID_AT, id);
    },
  };
}

/** The request as JSON text, byte for byte what `writeBody` sends (but for `now`): for samples and preflight. */
export function renderRequest(template: RequestTemplate, id: number, draw: Draw): string {
  const bytes = Buffer.allocUnsafe(template.maxBodyBytes);
  return bytes.toString('utf8', 0, template.writeBody(bytes, 0, id, draw));
}

function toPieces(parts: readonly (string | Placeholder)[], clocks: ReadonlyMap<number, HeldClock>): Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let position = 0;
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    if (text !== '') pieces.push(fixedPiece(text));
    text = '';
    position += 1;
    const clock = clocks.get(position);
    pieces.push(drawnPiece(part, position, clock === undefined ? {} : { now: clock.held }));
  }
  if (text !== '') pieces.push(fixedPiece(text));
  return pieces;
}

function flatten(template: Template, into: (string | Placeholder)[]): void {
  switch (template.kind) {
    case 'constant':
      into.push(template.json);
      return;
    case 'number':
      into.push(template.draw);
      return;
    case 'string':
      into.push(
        '"',
        ...template.parts.map((part) => (typeof part === 'string' ? JSON.stringify(part).slice(1, -1) : part)),
        '"',
      );
      return;
    case 'array':
      into.push('[');
      template.items.forEach((item, index) => {
        if (index > 0) into.push(',');
        flatten(item, into);
      });
      into.push(']');
      return;
    case 'object':
      into.push('{');
      template.entries.forEach(([key, value], index) => {
        into.push(`${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
        flatten(value, into);
      });
      into.push('}');
  }
}

/** Adds the envelope of the stateless era; a `_meta` of the scenario keeps its other keys. */
function withMeta(params: Template, version: string, clientInfo: ClientInfo): Template {
  const entries = objectEntries(params);
  const envelope = objectEntries({ kind: 'constant', json: JSON.stringify(metaEnvelope(version, clientInfo)) });
  const ours = new Set(envelope.map(([key]) => key));
  const own = entries.find(([key]) => key === '_meta')?.[1];
  const kept = own === undefined ? [] : objectEntries(own).filter(([key]) => !ours.has(key));
  return {
    kind: 'object',
    entries: [
      ...entries.filter(([key]) => key !== '_meta'),
      ['_meta', { kind: 'object', entries: [...kept, ...envelope] }],
    ],
  };
}

function objectEntries(template: Template): readonly (readonly [string, Template])[] {
  if (template.kind === 'object') return template.entries;
  const value: unknown = template.kind === 'constant' ? JSON.parse(template.json) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(
      `request parameters must be an object, not ${template.kind === 'constant' ? template.json : `a ${template.kind}`}`,
    );
  }
  return Object.entries(value).map(([key, member]) => [key, { kind: 'constant', json: JSON.stringify(member) }]);
}

function isEmpty(params: Template): boolean {
  return objectEntries(params).length === 0;
}
