import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** One call that changed something, or was refused. */
export const auditEntry = z.object({
  /** ISO 8601. */
  at: z.string(),
  /** The id of a token, `run ID`, `this machine`, or `unknown` when the call was refused. */
  caller: z.string(),
  /** The address it came from. */
  from: z.string(),
  call: z.string(),
  status: z.number(),
  /** Path of what it made. */
  made: z.string().optional(),
  /** Refused calls of the minute before that were not written, because there were too many. */
  omitted: z.number().optional(),
});
type AuditEntry = z.infer<typeof auditEntry>;

const FILE = 'audit.jsonl';
const EARLIER_FILE = 'audit.1.jsonl';
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_REFUSED_PER_MINUTE = 100;
const MINUTE_MS = 60_000;

/**
 * `audit.jsonl` of a results folder: who changed what, one line a call. Only its owner may read it. When it is full, it
 * becomes `audit.1.jsonl` in place of the one before.
 */
export class AuditLog {
  private readonly path: string;
  private readonly earlierPath: string;
  private minuteStart = 0;
  private refused = 0;

  constructor(
    resultsFolder: string,
    private readonly now: () => number,
  ) {
    this.path = join(resultsFolder, FILE);
    this.earlierPath = join(resultsFolder, EARLIER_FILE);
  }

  /** @throws file system errors */
  record(entry: Omit<AuditEntry, 'at' | 'omitted'>): void {
    const now = this.now();
    let omitted = 0;
    if (now - this.minuteStart >= MINUTE_MS) {
      omitted = Math.max(0, this.refused - MAX_REFUSED_PER_MINUTE);
      this.minuteStart = now;
      this.refused = 0;
    }
    if (entry.status === 401 || entry.status === 403) {
      this.refused += 1;
      // Whoever has no token must not be able to fill the disk.
      if (this.refused > MAX_REFUSED_PER_MINUTE) return;
    }
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES)
      renameSync(this.path, this.earlierPath);
    const line = { at: new Date(now).toISOString(), ...entry, ...(omitted === 0 ? {} : { omitted }) };
    appendFileSync(this.path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }

  /** The last `count` entries, newest first. Lines that are not entries are left out. */
  last(count: number): readonly AuditEntry[] {
    const entries = [this.path, this.earlierPath].flatMap((path) => linesOf(path).toReversed());
    return entries
      .slice(0, count)
      .map((line) => auditEntry.safeParse(parse(line)).data)
      .filter((entry) => entry !== undefined);
  }
}

function linesOf(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that a full disk has cut.
    return undefined;
  }
}
