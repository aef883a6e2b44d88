import { type FileHandle, open } from 'node:fs/promises';
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
 * The complete lines of a file. A last line without a newline was being written when the writer died; it was never
 * acknowledged, so it is left out.
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const file = await open(path, 'r');
  try {
    yield* linesFrom(file, { offset: 0, number: 0 });
  } finally {
    await file.close();
  }
}

/** The complete lines from a place to the present end of the file. Returns the place to continue from. */
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
