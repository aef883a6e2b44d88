import { headBytes, makeFrame, OPCODE } from '../transport/websocket/frame-writer.js';
import { newKey, upgradeRequest } from '../transport/websocket/upgrade.js';
import { type ForgedMessage, type ForgeMessage, malformMessage, shown } from './malformed-message.js';
import { malformedKind } from './misbehaviour-kind.js';

const FIN = 0x80;
const RESERVED_BITS = 0x70;
const MASKED = 0x80;
const MASK_BYTES = 4;
const CONTINUATION = 0x0;
/** Of those that are kept for later (RFC 6455, 11.8). */
const UNKNOWN_OPCODE = 0x3;
/** Larger than any message, and still a length that a frame may have (the highest bit must be 0). */
const HUGE_LENGTH = 2n ** 62n;

/** The bytes of one deed where a message is a WebSocket frame. */
export const forgeFrame: ForgeMessage = (misbehaviourKind, proper, oversizeBytes) => {
  const { body, endpoint } = proper;
  const payload = Buffer.from(body, 'utf8');
  const frame = makeFrame(OPCODE.text, payload);
  const sent = (bytes: Buffer, what: string): ForgedMessage => ({
    pieces: [bytes],
    answers: 1,
    text: `(${what}) ${body}`,
  });
  switch (misbehaviourKind) {
    case 'abort/mid-handshake': {
      const request = upgradeRequest(endpoint, newKey());
      const half = request.subarray(0, Math.ceil(request.length / 2));
      return { pieces: [half], answers: 0, text: shown(half) };
    }
    case 'abort/after-request':
    case 'abort/mid-answer':
      return { pieces: [frame], answers: 1, text: body };
    case 'abort/mid-request':
      return sent(frame.subarray(0, -Math.ceil(payload.length / 2)), 'half of its frame');
    case 'malformed/broken-json':
    case 'malformed/unknown-method':
    case 'malformed/oversize':
    case 'malformed/not-utf8': {
      const bytes = malformMessage(malformedKind(misbehaviourKind), proper, oversizeBytes);
      return { pieces: [makeFrame(OPCODE.text, bytes)], answers: 1, text: shown(bytes) };
    }
    case 'malformed/duplicate-id':
      return { pieces: [frame, frame], answers: 2, text: body };
    case 'malformed/wrong-framing':
      return sent(withFirstByte(frame, FIN | CONTINUATION), 'a continuation of nothing');
    case 'malformed/unmasked':
      return sent(unmasked(frame, payload), 'a frame without a mask');
    case 'malformed/reserved-bits':
      return sent(withFirstByte(frame, FIN | RESERVED_BITS | OPCODE.text), 'a frame with its reserved bits set');
    case 'malformed/bad-opcode':
      return sent(withFirstByte(frame, FIN | UNKNOWN_OPCODE), `a frame of kind ${UNKNOWN_OPCODE}`);
    case 'malformed/huge-length':
      return sent(withLength(frame, payload.length), `a frame that says it is ${HUGE_LENGTH} bytes long`);
  }
};

function withFirstByte(frame: Buffer, first: number): Buffer {
  frame[0] = first;
  return frame;
}

/** As a server would send it. */
function unmasked(frame: Buffer, payload: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(0, headBytes(payload.length) - MASK_BYTES));
  head[1] = (head[1] as number) & ~MASKED;
  return Buffer.concat([head, payload]);
}

function withLength(frame: Buffer, payloadBytes: number): Buffer {
  const head = Buffer.alloc(10);
  head[0] = frame[0] as number;
  head[1] = MASKED | 127;
  head.writeBigUInt64BE(HUGE_LENGTH, 2);
  return Buffer.concat([head, frame.subarray(headBytes(payloadBytes) - MASK_BYTES)]);
}
