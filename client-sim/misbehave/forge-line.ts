import {
  type ForgedMessage,
  type ForgeMessage,
  malformedKind,
  malformMessage,
  sampleText,
} from './malformed-message.js';

const LINE_END = Buffer.from('\n');

/** The bytes of one misbehaviour where a message is a line. */
export const forgeLine: ForgeMessage = (misbehaviourKind, proper, oversizeBytes) => {
  const { body } = proper;
  const line = (bytes: Buffer, answers = 1): ForgedMessage => ({
    pieces: Array<Buffer>(answers).fill(Buffer.concat([bytes, LINE_END])),
    answers,
    text: sampleText(bytes),
  });
  switch (misbehaviourKind) {
    case 'abort/after-request':
    case 'abort/mid-answer':
      return line(Buffer.from(body, 'utf8'));
    case 'abort/mid-request': {
      const half = Buffer.from(body, 'utf8').subarray(0, Math.ceil(body.length / 2));
      return { pieces: [half], answers: 1, text: sampleText(half) };
    }
    case 'malformed/broken-json':
    case 'malformed/unknown-method':
    case 'malformed/oversize':
    case 'malformed/not-utf8':
      return line(malformMessage(malformedKind(misbehaviourKind), proper, oversizeBytes));
    case 'malformed/duplicate-id':
      return line(Buffer.from(body, 'utf8'), 2);
    case 'malformed/wrong-framing':
      // Correct JSON, but on two lines.
      return line(Buffer.from(body.replace(',', ',\n'), 'utf8'));
    case 'abort/mid-handshake':
    case 'malformed/unmasked':
    case 'malformed/reserved-bits':
    case 'malformed/bad-opcode':
    case 'malformed/huge-length':
      throw new RangeError(`${misbehaviourKind} is impossible for a line; plans that ask for it are refused`);
  }
};
