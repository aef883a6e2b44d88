import { type FileHandle, open } from 'node:fs/promises';
import { telemetry } from '../../client-sim/protocol/telemetry.js';
import { messageOf } from '../support/error-message.js';
import { ControllerError } from './errors.js';
import type { TelemetryLine } from './events.js';
import { parseLine, readLines } from './lines.js';

interface PendingLine {
  readonly line: Buffer;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * `telemetry.jsonl` of an active run. `append` resolves when the line is on the disk (fdatasync): the worker forgets a
 * batch once it is acknowledged, so this file is then the only copy. Batches that arrive during a flush share the next
 * one, so the cost does not grow with the number of workers.
 */
export class TelemetryLog {
  private waiting: PendingLine[] = [];
  private writer: Promise<void> | undefined;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private bytes: number,
  ) {}

  static async create(path: string): Promise<TelemetryLog> {
    return new TelemetryLog(path, await open(path, 'ax', 0o644), 0);
  }

  /** Opens the file of an adopted run, passes each complete line to `restore`, and cuts off a torn one. */
  static async reopen(path: string, restore: (line: TelemetryLine) => void): Promise<TelemetryLog> {
    const file = await open(path, 'a', 0o644);
    try {
      let bytes = 0;
      for await (const line of readTelemetry(path)) {
        restore(line.value);
        bytes = line.endOffset;
      }
      await file.truncate(bytes);
      return new TelemetryLog(path, file, bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Resolves to the size of the stored line. @throws ControllerError LOG_WRITE_FAILED; nothing is then stored */
  async append(entry: TelemetryLine): Promise<number> {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    const safe = new Promise<void>((done, failed) => this.waiting.push({ line, done, failed }));
    this.writer ??= this.writeAll();
    await safe;
    return line.length;
  }

  async close(): Promise<void> {
    await this.writer;
    await this.file.close();
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      const block = Buffer.concat(group.map((waiting) => waiting.line));
      try {
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
}

/** The complete lines of a telemetry file, in the order they were acknowledged. @throws ControllerError LOG_CORRUPT */
export async function* readTelemetry(
  path: string,
): AsyncGenerator<{ readonly value: TelemetryLine; readonly endOffset: number }> {
  for await (const line of readLines(path)) {
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
