import { type FileHandle, open } from 'node:fs/promises';
import { ControllerError } from './errors.js';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** One complete line and where the next one begins. */
interface Line {
  readonly text: string;
  readonly number: number;
  readonly endOffset: number;
}

/**
 * Complete lines of a file. A last line without its newline was being written when the writer died: it was never
 * acknowledged to anyone, so it is left out.
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const file = await open(path, 'r');
  try {
    yield* linesFrom(file, { offset: 0, number: 0 });
  } finally {
    await file.close();
  }
}

/** Lines from a place on, to the present end of the file; returns the place to go on from. */
export async function* linesFrom(
  file: FileHandle,
  place: { readonly offset: number; readonly number: number },
): AsyncGenerator<Line, { readonly offset: number; readonly number: number }> {
  let { offset, number } = place;
  let position = offset;
  let pending: Buffer[] = [];
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return { offset, number };
    position += bytesRead;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE, start); end !== -1 && end < bytesRead; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(Buffer.from(chunk.subarray(start, end)));
      const bytes = Buffer.concat(pending);
      pending = [];
      offset += bytes.length + 1;
      number += 1;
      yield { text: bytes.toString('utf8'), number, endOffset: offset };
      start = end + 1;
    }
    if (start < bytesRead) pending.push(Buffer.from(chunk.subarray(start, bytesRead)));
  }
}

/** A line's JSON. @throws ControllerError LOG_CORRUPT naming file and line: only the last line may be torn. */
export function parseLine(path: string, line: Line): unknown {
  try {
    return JSON.parse(line.text);
  } catch {
    throw new ControllerError(
      'LOG_CORRUPT',
      `${path}:${line.number}: not JSON: ${JSON.stringify(line.text.slice(0, 80))}`,
      'The file was changed by something else than the controller, or its disk lost data; restore it or remove the run folder.',
    );
  }
}
