import { type ForgedMessage, type ForgeMessage, malformMessage, sampleText } from './malformed-message.js';

const LINE_END = Buffer.from('\n');

/** The bytes of one misbehaviour where a message is a line. */
export const forgeLine: ForgeMessage = (misbehaviourKind, proper, oversizeBytes) => {
  const { body } = proper;
  const line = (bytes: Buffer, answers = 1): ForgedMessage => ({
    pieces: Array<Buffer>(answers).fill(Buffer.concat([bytes, LINE_END])),
    answers,
    text: sampleText(bytes),
  });
  const malformed = malformMessage(misbehaviourKind, proper, oversizeBytes);
  if (malformed !== undefined) return line(malformed);
  switch (misbehaviourKind) {
    case 'abort/after-request':
    case 'abort/mid-answer':
      return line(Buffer.from(body, 'utf8'));
    case 'abort/mid-request': {
      const half = Buffer.from(body, 'utf8').subarray(0, Math.ceil(body.length / 2));
      return { pieces: [half], answers: 1, text: sampleText(half) };
    }
    case 'malformed/duplicate-id':
      return line(Buffer.from(body, 'utf8'), 2);
    case 'malformed/wrong-framing':
      // Correct JSON, but on two lines.
      return line(Buffer.from(body.replace(',', ',\n'), 'utf8'));
    default:
      throw new RangeError(`${misbehaviourKind} is impossible for a line; plans that ask for it are refused`);
  }
};
