import { headBytes, makeFrame, OPCODE } from '../transport/websocket/frame-writer.js';
import { newKey, upgradeRequest } from '../transport/websocket/upgrade.js';
import { type ForgedMessage, type ForgeMessage, malformMessage, sampleText } from './malformed-message.js';

const FIN = 0x80;
const RESERVED_BITS = 0x70;
const MASKED = 0x80;
const MASK_BYTES = 4;
const CONTINUATION = 0x0;
/** One of the reserved opcodes (RFC 6455, 11.8). */
const UNKNOWN_OPCODE = 0x3;
/** Larger than any message, and still a valid length of a frame (the highest bit must be 0). */
const HUGE_LENGTH = 2n ** 62n;

/** The bytes of one misbehaviour where a message is a WebSocket frame. */
export const forgeFrame: ForgeMessage = (misbehaviourKind, proper, oversizeBytes) => {
  const { body, endpoint } = proper;
  const payload = Buffer.from(body, 'utf8');
  const frame = makeFrame(OPCODE.text, payload);
  const frameOf = (bytes: Buffer, description: string): ForgedMessage => ({
    pieces: [bytes],
    answers: 1,
    text: `(${description}) ${body}`,
  });
  const malformed = malformMessage(misbehaviourKind, proper, oversizeBytes);
  if (malformed !== undefined)
    return { pieces: [makeFrame(OPCODE.text, malformed)], answers: 1, text: sampleText(malformed) };
  switch (misbehaviourKind) {
    case 'abort/mid-handshake': {
      const request = upgradeRequest(endpoint, newKey());
      const half = request.subarray(0, Math.ceil(request.length / 2));
      return { pieces: [half], answers: 0, text: sampleText(half) };
    }
    case 'abort/after-request':
    case 'abort/mid-answer':
      return { pieces: [frame], answers: 1, text: body };
    case 'abort/mid-request':
      return frameOf(frame.subarray(0, -Math.ceil(payload.length / 2)), 'half of its frame');
    case 'malformed/duplicate-id':
      return { pieces: [frame, frame], answers: 2, text: body };
    case 'malformed/wrong-framing':
      return frameOf(withFirstByte(frame, FIN | CONTINUATION), 'a continuation frame without a message to continue');
    case 'malformed/unmasked':
      return frameOf(unmasked(frame, payload), 'a frame without a mask');
    case 'malformed/reserved-bits':
      return frameOf(withFirstByte(frame, FIN | RESERVED_BITS | OPCODE.text), 'a frame with its reserved bits set');
    case 'malformed/bad-opcode':
      return frameOf(withFirstByte(frame, FIN | UNKNOWN_OPCODE), `a frame with opcode ${UNKNOWN_OPCODE}`);
    case 'malformed/huge-length':
      return frameOf(withLength(frame, payload.length), `a frame that claims to be ${HUGE_LENGTH} bytes long`);
    default:
      throw new RangeError(`${misbehaviourKind} is impossible for a frame; plans that ask for it are refused`);
  }
};

function withFirstByte(frame: Buffer, first: number): Buffer {
  frame[0] = first;
  return frame;
}

/** The frame as a server would send it. */
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
