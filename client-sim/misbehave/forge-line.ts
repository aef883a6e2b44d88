import { type ForgedMessage, type ForgeMessage, malformMessage, shown } from './malformed-message.js';
import { malformedKind } from './misbehaviour-kind.js';

/** The bytes of one deed where a message is a line. */
export const forgeLine: ForgeMessage = (misbehaviourKind, proper, oversizeBytes) => {
  const { body } = proper;
  const line = (bytes: Buffer, answers = 1): ForgedMessage => ({
    pieces: Array<Buffer>(answers).fill(Buffer.concat([bytes, LINE_END])),
    answers,
    text: shown(bytes),
  });
  switch (misbehaviourKind) {
    case 'abort/after-request':
    case 'abort/mid-answer':
      return line(Buffer.from(body, 'utf8'));
    case 'abort/mid-request': {
      const half = Buffer.from(body, 'utf8').subarray(0, Math.ceil(body.length / 2));
      return { pieces: [half], answers: 1, text: shown(half) };
    }
    case 'malformed/broken-json':
    case 'malformed/unknown-method':
    case 'malformed/oversize':
    case 'malformed/not-utf8':
      return line(malformMessage(malformedKind(misbehaviourKind), proper, oversizeBytes));
    case 'malformed/duplicate-id':
      return line(Buffer.from(body, 'utf8'), 2);
    case 'malformed/wrong-framing':
      // Good JSON, as somebody would write it who does not know that a message is one line.
      return line(Buffer.from(body.replace(',', ',\n'), 'utf8'));
    case 'abort/mid-handshake':
    case 'malformed/unmasked':
    case 'malformed/reserved-bits':
    case 'malformed/bad-opcode':
    case 'malformed/huge-length':
      throw new RangeError(`${misbehaviourKind} is nothing that a line can do; plans that ask for it are refused`);
  }
};

const LINE_END = Buffer.from('\n');
