import { describe, expect, test } from '@jest/globals';
import { demux, type LogFrame, linesOf } from './logs.js';

describe('frames of stdout and stderr', () => {
  const whole = Buffer.concat([frame(1, 'one\n'), frame(2, 'two, longer\n'), frame(1, ''), frame(1, 'three\n')]);
  const expected = [
    ['stdout', 'one\n'],
    ['stderr', 'two, longer\n'],
    ['stdout', ''],
    ['stdout', 'three\n'],
  ];

  test.each(Array.from({ length: whole.length }, (_, at) => at + 1))(
    'are the same when the stream is cut every %i bytes',
    async (size) => {
      expect(await read(demux(cut(whole, size)))).toEqual(expected);
    },
  );
});

test('lines of a terminal are lines, however they are cut', async () => {
  for (const size of [1, 3, 100]) {
    expect(await read(linesOf(cut(Buffer.from('one\r\ntwo\nrest'), size)))).toEqual([
      ['stdout', 'one\r\n'],
      ['stdout', 'two\n'],
      ['stdout', 'rest'],
    ]);
  }
});

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(frames: AsyncIterable<LogFrame>): Promise<readonly (readonly [string, string])[]> {
  const all: (readonly [string, string])[] = [];
  for await (const { stream, bytes } of frames) all.push([stream, bytes.toString()]);
  return all;
}
