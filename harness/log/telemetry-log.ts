import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { telemetry } from '../../client-sim/protocol/telemetry.js';
import { messageOf } from '../support/error-message.js';
import { ControllerError } from './errors.js';
import type { TelemetryLine } from './events.js';
import { parseLine, readLines } from './lines.js';
import { Packer } from './packer.js';
import { files } from './run-folder.js';

/** A file of this size is closed, numbered and compressed; the next batch begins a new one. */
const ROTATE_BYTES = 32 * 1024 * 1024;

interface PendingLine {
  readonly line: Buffer;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * The telemetry of an active run: `telemetry.jsonl` and, before it, the files that it has outgrown
 * (`telemetry-00001.jsonl.gz` and so on). `append` resolves when the line is on the disk (fdatasync): the worker
 * forgets a batch once it is acknowledged, so this log is then the only copy. Batches that arrive during a flush share
 * the next one, so the cost does not grow with the number of workers.
 */
export class TelemetryLog {
  private waiting: PendingLine[] = [];
  private writer: Promise<void> | undefined;
  private readonly packer = new Packer();

  private constructor(
    readonly path: string,
    private file: FileHandle,
    private bytes: number,
    /** How many files were closed. */
    private closedCount: number,
    private readonly rotateBytes: number,
  ) {}

  static async create(path: string, rotateBytes = ROTATE_BYTES): Promise<TelemetryLog> {
    return new TelemetryLog(path, await open(path, 'ax', 0o644), 0, 0, rotateBytes);
  }

  /** Opens the files of an adopted run, passes each complete line to `restore`, and cuts off a torn one. */
  static async reopen(
    path: string,
    restore: (line: TelemetryLine) => void,
    rotateBytes = ROTATE_BYTES,
  ): Promise<TelemetryLog> {
    const closed = await closedFiles(dirname(path));
    for (const one of closed) for await (const { value } of readTelemetry(one)) restore(value);
    const file = await open(path, 'a', 0o644);
    try {
      let bytes = 0;
      for await (const line of readTelemetry(path)) {
        restore(line.value);
        bytes = line.endOffset;
      }
      await file.truncate(bytes);
      const log = new TelemetryLog(path, file, bytes, closed.length, rotateBytes);
      for (const one of closed) {
        // The controller died between compressing the file and removing it.
        if (one.endsWith('.gz')) await rm(one.slice(0, -'.gz'.length), { force: true });
        else log.packer.add(one);
      }
      return log;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Resolves to the size of the stored line.
   * @param json of the batch as it came, so that it need not be written again
   * @throws ControllerError LOG_WRITE_FAILED; nothing is then stored
   */
  async append(entry: TelemetryLine, json?: string): Promise<number> {
    const line = Buffer.from(`${json === undefined ? JSON.stringify(entry) : lineWith(entry, json)}\n`);
    const safe = new Promise<void>((done, failed) => this.waiting.push({ line, done, failed }));
    this.writer ??= this.writeAll();
    await safe;
    return line.length;
  }

  async close(): Promise<void> {
    await this.writer;
    await this.file.close();
    await this.packer.end();
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      const block = Buffer.concat(group.map((waiting) => waiting.line));
      try {
        if (this.bytes >= this.rotateBytes) await this.rotate();
        await this.file.appendFile(block);
        await this.file.datasync();
        this.bytes += block.length;
        for (const waiting of group) waiting.done();
      } catch (error) {
        const failure = new ControllerError(
          'LOG_WRITE_FAILED',
          `${this.path}: ${messageOf(error)}`,
          'Free space on the disk of the results folder.',
        );
        // Best effort: a torn block in the middle would make the file unreadable, one at the end does not.
        await this.file.truncate(this.bytes).catch(() => undefined);
        for (const waiting of group) waiting.failed(failure);
      }
    }
    this.writer = undefined;
  }

  private async rotate(): Promise<void> {
    const closed = join(dirname(this.path), closedName(this.closedCount + 1));
    await rename(this.path, closed);
    const next = await open(this.path, 'ax', 0o644).catch(async (error: unknown) => {
      await rename(closed, this.path);
      throw error;
    });
    await this.file.close();
    this.file = next;
    this.bytes = 0;
    this.closedCount += 1;
    this.packer.add(closed);
  }
}

function lineWith({ workerId, receivedAt }: TelemetryLine, json: string): string {
  return `{"workerId":${JSON.stringify(workerId)},"receivedAt":${JSON.stringify(receivedAt)},"batch":${json}}`;
}

function closedName(number: number): string {
  return `telemetry-${String(number).padStart(5, '0')}.jsonl`;
}

const closedPattern = /^telemetry-\d{5,}\.jsonl(?:\.gz)?$/;

/** The files with the telemetry of a run, in order; the last one is `telemetry.jsonl`, which may not be there. */
export async function telemetryFiles(runFolder: string): Promise<readonly string[]> {
  return [...(await closedFiles(runFolder)), join(runFolder, files.telemetry)];
}

async function closedFiles(runFolder: string): Promise<readonly string[]> {
  const names = (await readdir(runFolder)).filter((name) => closedPattern.test(name));
  const closed = new Map<string, string>();
  // A file that is compressed and still there in plain, too, was about to be removed when its controller died.
  for (const name of names.toSorted()) closed.set(basename(name, '.gz'), name);
  return [...closed.values()].map((name) => join(runFolder, name));
}

/** A file of `telemetryFiles`, or the compressed one that has taken its place since. */
export async function presentFile(path: string): Promise<string> {
  const isThere = await stat(path).catch(() => undefined);
  if (isThere !== undefined || path.endsWith('.gz')) return path;
  return (await stat(`${path}.gz`).catch(() => undefined)) === undefined ? path : `${path}.gz`;
}

/** The complete lines of a telemetry file, in the order they were acknowledged. @throws ControllerError LOG_CORRUPT */
export async function* readTelemetry(
  path: string,
): AsyncGenerator<{ readonly value: TelemetryLine; readonly endOffset: number }> {
  for await (const line of readLines(await presentFile(path))) {
    const raw = parseLine(path, line) as TelemetryLine;
    const batch = telemetry.safeParse(raw.batch);
    if (!batch.success)
      throw new ControllerError(
        'LOG_CORRUPT',
        `${path}:${line.number}: not a telemetry batch: ${batch.error.issues[0]?.message ?? ''}`,
      );
    yield { value: { ...raw, batch: batch.data }, endOffset: line.endOffset };
  }
}
