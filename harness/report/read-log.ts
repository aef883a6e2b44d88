import { createReadStream, type ReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip, type Gunzip } from 'node:zlib';
import { RunFold, type RunModel } from '../analysis/fold-run.js';
import type { RunEvent, TelemetryLine } from '../log/events.js';
import { presentFile, telemetryFiles } from '../log/telemetry-log.js';
import { codeOf, messageOf } from '../support/error-message.js';

/**
 * Reads a run's log as a stream, so that hours of telemetry need not fit into memory.
 * @throws ReportError when the folder holds no event log, or one that does not say what was run
 */
export async function readRun(runFolder: string): Promise<RunModel> {
  const fold = new RunFold();
  let events = 0;
  await eachLine(join(runFolder, 'events.jsonl'), fold, (value) => {
    fold.event(value as RunEvent);
    events += 1;
  });
  if (events === 0) {
    throw new ReportError(
      'report.no-log',
      `${runFolder} holds no event log (events.jsonl): it is not the folder of a run`,
    );
  }
  for (const path of await telemetryFiles(runFolder))
    await eachLine(await presentFile(path), fold, (value) => fold.telemetry(value as TelemetryLine));
  return fold.model();
}

/**
 * The last line may be torn: its writer died before it could acknowledge the line. Any other unreadable line is damage,
 * which the report notes (`log/lines.ts`, for a run that goes on, refuses it).
 */
async function eachLine(path: string, fold: RunFold, take: (value: unknown) => void): Promise<void> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const stream = path.endsWith('.gz') ? unpacked(file) : file;
  let unreadable: number | undefined;
  let number = 0;
  const takeLine = (line: string): void => {
    number += 1;
    if (line === '') return;
    if (unreadable !== undefined) fold.problem(`${path}:${unreadable} is damaged and was left out`);
    const value = parse(line);
    unreadable = value === undefined ? number : undefined;
    if (value === undefined) return;
    try {
      take(value);
    } catch (error) {
      if (codeOf(error) !== undefined) throw error;
      // JSON, but no line that a controller writes.
      fold.problem(`${path}:${number} is damaged and was left out: ${messageOf(error)}`);
    }
  };
  try {
    await splitLines(stream, takeLine);
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code.startsWith('Z_'))
      fold.problem(`${path} is damaged after line ${number}, and the rest was left out: ${messageOf(error)}`);
    // A run whose load never began has no telemetry.
    else if (code !== 'ENOENT') throw error;
  } finally {
    file.destroy();
  }
}

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Also the last line, which may have no newline. */
async function splitLines(stream: AsyncIterable<Buffer>, take: (line: string) => void): Promise<void> {
  let parts: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, to);
      take((parts.length === 0 ? rest : Buffer.concat([...parts, rest])).toString());
      parts = [];
      from = to + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (parts.length > 0) take(Buffer.concat(parts).toString());
}

function unpacked(file: ReadStream): Gunzip {
  const plain = createGunzip({ chunkSize: CHUNK_BYTES });
  file.on('error', (error) => plain.destroy(error)).pipe(plain);
  return plain;
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A log that no report can be made of. */
export class ReportError extends Error {
  override readonly name = 'ReportError';

  constructor(
    readonly code: 'report.no-log' | 'report.damaged',
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
