import type { MisbehavePlan } from '../../../scenarios/schema/misbehave.js';
import { pausedUntil } from './socket.js';

/** How slowly a connection reads and writes on purpose; undefined: as fast as it can. */
export interface Pace extends Pick<MisbehavePlan, 'readBytesPerSecond' | 'writeBytesPerSecond'> {
  /** Most bytes that one read takes; for a slow reader only. Default: the bytes of a tenth of a second. */
  readonly readPieceBytes?: number | undefined;
}

/** The pace among the settings of a session. */
export function paceOf({
  readBytesPerSecond,
  writeBytesPerSecond,
  readPieceBytes,
}: { readonly [Key in keyof Pace]?: Pace[Key] | undefined }): Pace {
  return {
    ...(readBytesPerSecond === undefined ? {} : { readBytesPerSecond }),
    ...(writeBytesPerSecond === undefined ? {} : { writeBytesPerSecond }),
    ...(readPieceBytes === undefined ? {} : { readPieceBytes }),
  };
}

/** Reads per second of a slow reader: few enough to cost nothing, many enough for a smooth rate. */
export const READS_PER_SECOND = 10;
const MAX_READ_BYTES = 65_536;

/**
 * Reads slowly: one small read, then none until the time of that read is up. The kernel's receive buffer fills, the TCP
 * window closes, and the server notices.
 */
export class SlowReader {
  readonly buffer: Buffer;
  private timer: NodeJS.Timeout | undefined;

  /** @param pieceBytes most bytes that one read takes */
  constructor(
    private readonly bytesPerSecond: number,
    pieceBytes: number = Math.ceil(bytesPerSecond / READS_PER_SECOND),
  ) {
    this.buffer = Buffer.allocUnsafeSlow(Math.min(MAX_READ_BYTES, Math.max(1, pieceBytes)));
  }

  /** Undefined for a pace without a limit on reading. */
  static of({ readBytesPerSecond, readPieceBytes }: Pace): SlowReader | undefined {
    return readBytesPerSecond === undefined ? undefined : new SlowReader(readBytesPerSecond, readPieceBytes);
  }

  /** After a read: resumes the socket once the time of these bytes is up. */
  rest(socket: { resume(): unknown }, bytes: number): void {
    clearTimeout(this.timer);
    const restMs = (bytes / this.bytesPerSecond) * 1000;
    pausedUntil(socket, performance.now() + restMs);
    this.timer = setTimeout(() => socket.resume(), restMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
