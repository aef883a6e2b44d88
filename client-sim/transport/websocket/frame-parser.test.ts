import { isUtf8 } from 'node:buffer';
import type { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as library from 'ws';
import { CLOSE, type FrameHandler, FrameParser } from './frame-parser.js';
import { headBytes, makeFrame, OPCODE, sealFrame } from './frame-writer.js';

/** The parser of `ws`, which its types do not declare. */
const { Receiver } = library as unknown as { Receiver: new (options: object) => Writable };

type Seen = readonly [kind: 'text' | 'ping' | 'close' | 'broken', what: string];

const LIMIT = 70_000;

/** Puts every piece into the same buffer, with garbage after it, as reads do. */
function parse(pieces: readonly Buffer[], limit = LIMIT): readonly Seen[] {
  const parser = new FrameParser(limit);
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)) + 8);
  const seen: Seen[] = [];
  const handler: FrameHandler = {
    onText: (bytes, start, end) => {
      if (isUtf8(bytes.subarray(start, end))) seen.push(['text', bytes.toString('utf8', start, end)]);
      else parser.reject(CLOSE.notUtf8, 'a text message that is not UTF-8');
    },
    onPing: (payload) => seen.push(['ping', payload.toString('hex')]),
    onClose: (code, reason) => seen.push(['close', `${code} ${reason}`]),
  };
  for (const piece of pieces) {
    shared.fill(0x81);
    piece.copy(shared);
    if (parser.read(shared, 0, piece.length, handler)) continue;
    seen.push(['broken', String(parser.closeCode)]);
    break;
  }
  return seen;
}

/** Reads the same with the receiver of `ws`, with the close code it would send. */
async function reference(pieces: readonly Buffer[]): Promise<readonly Seen[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: LIMIT, allowSynchronousEvents: true });
  const seen: Seen[] = [];
  let over = false;
  receiver.on(
    'message',
    (data: Buffer, isBinary: boolean) => void seen.push(isBinary ? ['broken', '1003'] : ['text', String(data)]),
  );
  receiver.on('ping', (data: Buffer) => void seen.push(['ping', data.toString('hex')]));
  receiver.on('conclude', (code: number, reason: Buffer) => {
    seen.push(['close', `${code} ${String(reason)}`]);
    over = true;
  });
  receiver.on('error', (error: Error) => {
    const code = Object.getOwnPropertySymbols(error)
      .map((symbol) => (error as unknown as Record<symbol, unknown>)[symbol])
      .find((value) => typeof value === 'number');
    seen.push(['broken', String(code)]);
    over = true;
  });
  for (const piece of pieces) {
    if (over) break;
    receiver.write(Buffer.from(piece));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return seen;
}

interface Frame {
  readonly first: number;
  readonly payload: Buffer;
  readonly masked: boolean;
  /** Bytes of the extended length; a receiver may accept more than are needed. */
  readonly extended: 0 | 2 | 8;
}

function bytesOf({ first, payload, masked, extended }: Frame): Buffer {
  let needed = 0;
  if (payload.length > 65_535) needed = 8;
  else if (payload.length > 125) needed = 2;
  const width = Math.max(needed, extended);
  const length = Buffer.alloc(1 + width);
  length[0] = (masked ? 0x80 : 0) | ({ 2: 126, 8: 127 }[width] ?? payload.length);
  if (width > 0) length.writeUIntBE(payload.length, width === 2 ? 1 : 3, width === 2 ? 2 : 6);
  return Buffer.concat([Buffer.from([first]), length, ...(masked ? [Buffer.alloc(4)] : []), payload]);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', 'größe €', 'x'.repeat(126), 'y'.repeat(40_000), 'z'.repeat(66_000)),
);
const payload = fc.oneof(
  { weight: 8, arbitrary: text.map((value) => Buffer.from(value)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)) },
);
const usual = fc.constantFrom(0x81, 0x81, 0x81, 0x01, 0x00, 0x80, 0x89, 0x8a);
const frame: fc.Arbitrary<Frame> = fc.record({
  first: fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) }),
  payload,
  masked: fc.constantFrom(...Array<boolean>(30).fill(false), true),
  extended: fc.constantFrom(0, 0, 0, 2, 8),
});

function cut(stream: Buffer, positions: readonly number[]): readonly Buffer[] {
  const cuts = [0, ...positions.map((position) => position % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return cuts
    .slice(1)
    .map((to, index) => stream.subarray(cuts[index], to))
    .filter((piece) => piece.length > 0);
}

/** We refuse a binary message at its head, and `ws` delivers it: the rest after the refusal is not compared. */
function untilBinary(seen: readonly Seen[]): readonly Seen[] {
  const end = seen.findIndex(([kind]) => kind === 'broken');
  return end < 0 ? seen : seen.slice(0, end);
}

function hasBinary(frames: readonly Frame[]): boolean {
  return frames.some(({ first }) => (first & 15) === 2);
}

test('any stream of frames, however it is cut, reads like with the receiver of `ws`', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(100_000), { maxLength: 8 }),
      async (frames, positions) => {
        const pieces = cut(Buffer.concat(frames.map(bytesOf)), positions);
        const [ours, theirs] = [parse(pieces), await reference(pieces)];
        if (hasBinary(frames))
          expect(untilBinary(theirs).slice(0, untilBinary(ours).length)).toEqual(untilBinary(ours));
        else expect(ours).toEqual(theirs);
      },
    ),
    { numRuns: 400 },
  );
});

const CONVERSATION = Buffer.concat([
  bytesOf({ first: 0x81, payload: Buffer.from('{"a":1}'), masked: false, extended: 0 }),
  bytesOf({ first: 0x01, payload: Buffer.from('grö'), masked: false, extended: 0 }),
  bytesOf({ first: 0x89, payload: Buffer.from('still there?'), masked: false, extended: 0 }),
  bytesOf({ first: 0x00, payload: Buffer.alloc(0), masked: false, extended: 0 }),
  bytesOf({ first: 0x80, payload: Buffer.from('ße'), masked: false, extended: 2 }),
  bytesOf({ first: 0x81, payload: Buffer.alloc(300, 'x'), masked: false, extended: 0 }),
  bytesOf({ first: 0x88, payload: Buffer.from([0x03, 0xf3, ...Buffer.from('late')]), masked: false, extended: 0 }),
]);

test('a conversation cut at every byte, and byte by byte, reads the same', () => {
  const whole: readonly Seen[] = [
    ['text', '{"a":1}'],
    ['ping', Buffer.from('still there?').toString('hex')],
    ['text', 'größe'],
    ['text', 'x'.repeat(300)],
    ['close', '1011 late'],
  ];
  expect(parse([CONVERSATION])).toEqual(whole);
  for (let at = 1; at < CONVERSATION.length; at++)
    expect(parse([CONVERSATION.subarray(0, at), CONVERSATION.subarray(at)])).toEqual(whole);
  expect(parse([...CONVERSATION].map((byte) => Buffer.from([byte])))).toEqual(whole);
});

describe('is broken by', () => {
  const of = (first: number, payload: Buffer, masked = false): Buffer =>
    bytesOf({ first, payload, masked, extended: 0 });
  test.each<[string, Buffer, number]>([
    ['a masked frame', of(0x81, Buffer.from('x'), true), 1002],
    ['a reserved bit', of(0xc1, Buffer.from('x')), 1002],
    ['an unknown opcode', of(0x83, Buffer.from('x')), 1002],
    ['a fragmented ping', of(0x09, Buffer.from('x')), 1002],
    ['a ping of 126 bytes', of(0x89, Buffer.alloc(126)), 1002],
    ['a continuation frame without a message', of(0x80, Buffer.from('x')), 1002],
    ['a message within a message', Buffer.concat([of(0x01, Buffer.from('x')), of(0x81, Buffer.from('y'))]), 1002],
    ['binary', of(0x82, Buffer.from('x')), 1003],
    ['text that is not UTF-8', of(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ['UTF-8 cut short by the end of the message', of(0x81, Buffer.from([0xe2, 0x82])), 1007],
    ['a close reason that is not UTF-8', of(0x88, Buffer.from([0x03, 0xe8, 0xff])), 1007],
    ['a close frame of one byte', of(0x88, Buffer.from([3])), 1002],
    ['a close code that may not be sent', of(0x88, Buffer.from([0x03, 0xed])), 1002],
    ['a message that announces more than the limit', Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]), 1009],
    ['a length beyond 2^53', Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255]), 1009],
    [
      'fragments that together are more than the limit',
      Buffer.concat([of(0x01, Buffer.alloc(40_000, 'x')), of(0x00, Buffer.alloc(40_000, 'x'))]),
      1009,
    ],
  ])('%s', (_what, stream, code) => {
    expect(parse([stream]).at(-1)).toEqual(['broken', String(code)]);
    expect(parse([...stream].map((byte) => Buffer.from([byte]))).at(-1)).toEqual(['broken', String(code)]);
  });
});

test('endless frames take no more memory than the limit', () => {
  const parser = new FrameParser(1_000_000);
  const handler: FrameHandler = { onText: () => undefined, onPing: () => undefined, onClose: () => undefined };
  const chunk = Buffer.concat([
    bytesOf({ first: 0x00, payload: Buffer.alloc(60_000, 'x'), masked: false, extended: 0 }),
  ]);
  const start = Buffer.from([0x01, 0x00]);
  expect(parser.read(start, 0, start.length, handler)).toBe(true);
  let fed = 0;
  for (; fed < 100 && parser.read(chunk, 0, chunk.length, handler); fed++);
  // 16 fragments of 60,000 bytes fit into the limit.
  expect(fed).toBe(16);
  // Empty fragments and pings cost nothing.
  const empty = new FrameParser(1_000_000);
  expect(empty.read(start, 0, start.length, handler)).toBe(true);
  const before = process.memoryUsage().arrayBuffers;
  const nothing = Buffer.alloc(60_000, Buffer.from([0x00, 0x00, 0x89, 0x00]));
  for (let turn = 0; turn < 50; turn++) expect(empty.read(nothing, 0, nothing.length, handler)).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
});

describe('a written frame', () => {
  test('is read by the receiver of `ws`, whatever its length', async () => {
    for (const length of [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 1000, 65_535, 65_536, 70_000]) {
      const message = 'ü'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
      const receiver = new Receiver({ isServer: true });
      const read = new Promise<string>((resolve, reject) => {
        receiver.on('message', (data: Buffer) => resolve(String(data)));
        receiver.on('error', reject);
      });
      const bytes = makeFrame(OPCODE.text, Buffer.from(message));
      expect(bytes.length).toBe(headBytes(length) + length);
      receiver.write(bytes);
      expect(await read).toBe(message);
    }
  });

  test('has a fresh mask in every frame', () => {
    const masks = new Set<number>();
    for (let turn = 0; turn < 10_000; turn++) masks.add(makeFrame(OPCODE.text, Buffer.from('x')).readUInt32BE(2));
    expect(masks.size).toBeGreaterThan(9_990);
  });

  test('may lie anywhere in a buffer, and changes nothing around it', () => {
    const into = Buffer.alloc(64, 7);
    Buffer.from('hello').copy(into, 13 + headBytes(5));
    const end = sealFrame(into, new DataView(into.buffer, into.byteOffset, into.length), 13, OPCODE.text, 5);
    expect(end).toBe(13 + headBytes(5) + 5);
    expect([...into.subarray(0, 13), ...into.subarray(end)]).toEqual(Array(64 - (end - 13)).fill(7));
  });
});
