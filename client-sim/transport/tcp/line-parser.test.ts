import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineParser } from './line-parser.js';

const LIMIT = 1000;

/** Puts every piece into the same buffer, with line ends after it, as reads do. */
function parse(pieces: readonly Buffer[]): { readonly lines: readonly string[]; readonly problem: string } {
  const parser = new LineParser(LIMIT);
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)) + 8);
  const lines: string[] = [];
  for (const piece of pieces) {
    shared.fill('\n');
    piece.copy(shared);
    if (
      !parser.read(shared, piece.length, {
        onLine: (bytes, start, end) => void lines.push(bytes.toString('utf8', start, end)),
      })
    )
      break;
  }
  return { lines, problem: parser.problem };
}

/** The text between LFs without a final CR, unless it is empty; the last part is no line yet. */
function reference(stream: string): readonly string[] {
  return stream
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}

const word = fc.constantFrom('\n', '\r\n', '\r', '{"a":1}', 'größe', '😀', ' ', 'x'.repeat(80));

test('any stream gives its lines, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 60 }).filter((words) =>
        words
          .join('')
          .split('\n')
          .every((line) => Buffer.byteLength(line) <= LIMIT),
      ),
      fc.array(fc.nat(5000), { maxLength: 10 }),
      (words, positions) => {
        const stream = Buffer.from(words.join(''));
        const cuts = [
          0,
          ...positions.map((position) => position % (stream.length + 1)).sort((a, b) => a - b),
          stream.length,
        ];
        const pieces = cuts.slice(1).map((to, index) => stream.subarray(cuts[index], to));
        expect(parse(pieces)).toEqual({ lines: reference(words.join('')), problem: '' });
      },
    ),
    { numRuns: 500 },
  );
});

test('lines cut at every byte, and byte by byte, read the same', () => {
  const stream = Buffer.from('{"größe":1}\n\r\n\n{"b":"€"}\r\n{"c":3}\nunfinished');
  const whole = { lines: ['{"größe":1}', '{"b":"€"}', '{"c":3}'], problem: '' };
  for (let at = 0; at <= stream.length; at++)
    expect(parse([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole);
  expect(parse([...stream].map((byte) => Buffer.from([byte])))).toEqual(whole);
});

test.each([
  ['in one piece', [Buffer.alloc(LIMIT + 1, 'x')]],
  ['in one piece with its end', [Buffer.from(`${'x'.repeat(LIMIT + 1)}\n`)]],
  ['byte by byte', Array.from({ length: LIMIT + 1 }, () => Buffer.from('x'))],
])('a line of more than the limit breaks it, %s', (_how, pieces) => {
  expect(parse([Buffer.from('good\n'), ...pieces])).toEqual({
    lines: ['good'],
    problem: expect.stringContaining('a line of more than 1000 bytes'),
  });
});

test('an endless line keeps no more than the limit', () => {
  const parser = new LineParser(1_000_000);
  const chunk = Buffer.alloc(60_000, 'x');
  const before = process.memoryUsage().arrayBuffers;
  let fed = 0;
  while (parser.read(chunk, chunk.length, { onLine: () => undefined })) fed++;
  expect(fed).toBe(16);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
});
