import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { ControllerError } from './errors.js';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** A complete line, and the offset at which the next one begins. */
interface Line {
  readonly text: string;
  readonly number: number;
  readonly endOffset: number;
}

/**
 * The complete lines of a file, which may be compressed (`.gz`). A last line without a newline was being written when
 * the writer died; it was never acknowledged, so it is left out.
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  if (path.endsWith('.gz')) {
    const packed = createReadStream(path);
    const plain = createGunzip();
    packed.on('error', (error) => plain.destroy(error)).pipe(plain);
    try {
      yield* split(plain, { offset: 0, number: 0 });
    } finally {
      packed.destroy();
    }
    return;
  }
  const file = await open(path, 'r');
  try {
    yield* linesFrom(file, { offset: 0, number: 0 });
  } finally {
    await file.close();
  }
}

/** The complete lines from a place to the present end of the file. Returns the place to continue from. */
export async function* linesFrom(file: FileHandle, place: Place): AsyncGenerator<Line, Place> {
  return yield* split(chunksOf(file, place.offset), place);
}

interface Place {
  readonly offset: number;
  readonly number: number;
}

async function* chunksOf(file: FileHandle, offset: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = offset; ; ) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** @param chunks each is read before the next one is asked for, and may be overwritten then */
async function* split(chunks: AsyncIterable<Buffer>, place: Place): AsyncGenerator<Line, Place> {
  let { offset, number } = place;
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE, start); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      const bytes = pending.length === 0 ? rest : Buffer.concat([...pending, rest]);
      pending = [];
      offset += bytes.length + 1;
      number += 1;
      yield { text: bytes.toString('utf8'), number, endOffset: offset };
      start = end + 1;
    }
    if (start < chunk.length) pending.push(Buffer.from(chunk.subarray(start)));
  }
  return { offset, number };
}

/** The JSON of a line. @throws ControllerError LOG_CORRUPT with file and line: only the last line may be torn */
export function parseLine(path: string, line: Line): unknown {
  try {
    return JSON.parse(line.text);
  } catch {
    throw new ControllerError(
      'LOG_CORRUPT',
      `${path}:${line.number}: not JSON: ${JSON.stringify(line.text.slice(0, 80))}`,
      'Another program changed the file, or its disk lost data. Restore it or remove the run folder.',
    );
  }
}
