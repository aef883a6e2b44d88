import { EventEmitter, once } from 'node:events';
import { closeSync, fchmodSync, fdatasync, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../support/error-message.js';
import { ControllerError } from './errors.js';
import type { EventOf, RunEvent, RunEventBody } from './events.js';
import { linesFrom, parseLine, readLines } from './lines.js';
import type { RunState } from './state.js';
import { emptySummary, nextSummary, type RunSummary } from './summary.js';

/**
 * `events.jsonl` of an active run. An event is handed to the kernel before anything acts on it, so it survives the
 * death of this process. It is flushed to the disk right after, in the background, so at most the last few milliseconds
 * are lost with the machine. There are only a few events a second, which is why the write may block.
 *
 * While the run is on, only its user may read the file: it names the addresses and processes of the run.
 */
export class EventLog {
  private readonly file: number;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private bytes: number;
  private _sequence: number;
  private _summary: RunSummary;
  private flushing = false;
  private dirty = false;
  private closed = false;

  private constructor(
    readonly path: string,
    private readonly now: () => number,
    flags: 'ax' | 'r+',
    existing: { readonly bytes: number; readonly sequence: number; readonly summary: RunSummary },
  ) {
    this.file = openSync(path, flags, 0o600);
    fchmodSync(this.file, 0o600);
    this.bytes = existing.bytes;
    this._sequence = existing.sequence;
    this._summary = existing.summary;
    // Half a line that a dying controller left must not become the beginning of ours.
    if (fstatSync(this.file).size > existing.bytes) ftruncateSync(this.file, existing.bytes);
  }

  static create(path: string, now: () => number): EventLog {
    return new EventLog(path, now, 'ax', { bytes: 0, sequence: 0, summary: emptySummary });
  }

  /** Opens the log of an adopted run, and returns its events so far. */
  static async reopen(
    path: string,
    now: () => number,
  ): Promise<{ readonly log: EventLog; readonly events: readonly RunEvent[] }> {
    const { events, bytes } = await readEvents(path);
    const summary = events.reduce(nextSummary, emptySummary);
    return { log: new EventLog(path, now, 'r+', { bytes, sequence: events.at(-1)?.seq ?? 0, summary }), events };
  }

  get state(): RunState {
    return this._summary.state;
  }

  get summary(): RunSummary {
    return this._summary;
  }

  get sequence(): number {
    return this._sequence;
  }

  /** @throws ControllerError LOG_WRITE_FAILED; the file then still ends with a complete line */
  append(body: RunEventBody): RunEvent {
    if (this.closed)
      throw new ControllerError('LOG_WRITE_FAILED', `${this.path}: ${body.type} after the log was closed`);
    const event: RunEvent = { seq: this._sequence + 1, at: new Date(this.now()).toISOString(), ...body };
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      for (let written = 0; written < line.length; )
        written += writeSync(this.file, line, written, line.length - written, this.bytes + written);
    } catch (error) {
      ftruncateSync(this.file, this.bytes);
      throw new ControllerError(
        'LOG_WRITE_FAILED',
        `${this.path}: ${messageOf(error)}`,
        'Free space on the disk of the results folder.',
      );
    }
    this.bytes += line.length;
    this._sequence = event.seq;
    this._summary = nextSummary(this._summary, event);
    this.flush();
    this.changes.emit('event', event);
    return event;
  }

  /** Calls the listener for each new event, synchronously and in order. Returns the function that unsubscribes it. */
  subscribe(listener: (event: RunEvent) => void): () => void {
    this.changes.on('event', listener);
    return () => void this.changes.off('event', listener);
  }

  /** Events after number `after`: first those in the file, then new ones as they come. Ends when the log is closed. */
  async *follow(after: number, signal?: AbortSignal): AsyncGenerator<RunEvent> {
    const file = await open(this.path, 'r');
    try {
      let place = { offset: 0, number: 0 };
      for (;;) {
        if (signal?.aborted) return;
        const lines = linesFrom(file, place);
        for (let next = await lines.next(); ; next = await lines.next()) {
          if (next.done) {
            place = next.value;
            break;
          }
          const event = parseLine(this.path, next.value) as RunEvent;
          if (event.seq > after) yield event;
          if (signal?.aborted) return;
        }
        if (place.number >= this._sequence) {
          if (this.closed) return;
          await this.change(signal);
        }
      }
    } finally {
      await file.close();
    }
  }

  /** No more events come; followers end after the last one. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.flushing) this.closeFile();
    this.changes.emit('change');
  }

  /** The run is over, so the file may be read by those who may read the folder. */
  private closeFile(): void {
    try {
      fchmodSync(this.file, statSync(dirname(this.path)).mode & 0o644);
    } catch {
      // The folder was removed while the run was on.
    }
    closeSync(this.file);
  }

  private async change(signal?: AbortSignal): Promise<void> {
    try {
      await once(this.changes, 'change', signal ? { signal } : {});
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  private flush(): void {
    this.changes.emit('change');
    this.dirty = true;
    if (this.flushing) return;
    this.flushing = true;
    this.dirty = false;
    // An error here is the disk's; the next append meets and reports it.
    fdatasync(this.file, () => {
      this.flushing = false;
      if (this.dirty) this.flush();
      else if (this.closed) this.closeFile();
    });
  }
}

/** The complete events of a log, one after the other. @throws ControllerError LOG_CORRUPT */
export async function* eventsOf(path: string): AsyncGenerator<RunEvent> {
  for await (const line of readLines(path)) yield parseLine(path, line) as RunEvent;
}

/** All complete events of a log, and the number of bytes they take. @throws ControllerError LOG_CORRUPT */
export async function readEvents(
  path: string,
): Promise<{ readonly events: readonly RunEvent[]; readonly bytes: number }> {
  const events: RunEvent[] = [];
  let bytes = 0;
  for await (const line of readLines(path)) {
    events.push(parseLine(path, line) as RunEvent);
    bytes = line.endOffset;
  }
  return { events, bytes };
}

/** The events that a run had logged before its controller died, by type. */
export class EventHistory {
  constructor(readonly events: readonly RunEvent[]) {}

  all<Type extends RunEvent['type']>(type: Type): readonly EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  last<Type extends RunEvent['type']>(type: Type): EventOf<Type> | undefined {
    return this.all(type).at(-1);
  }
}
