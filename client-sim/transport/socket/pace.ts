import type { MisbehavePlan } from '../../../scenarios/schema/misbehave.js';

/** How slowly a connection goes on purpose; undefined: as fast as it can. */
export interface Pace extends Pick<MisbehavePlan, 'readBytesPerSecond' | 'writeBytesPerSecond'> {
  /** Most that one read takes; for a slow reader only. Default: a tenth of a second's worth. */
  readonly readPieceBytes?: number | undefined;
}

/** Of all that is said of a session, how slowly it goes. */
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

/** Reads per second of a slow reader: few enough to cost nothing, many enough that its rate is smooth. */
export const READS_PER_SECOND = 10;
const MAX_READ_BYTES = 65_536;

/**
 * A true slow reader: takes one small read, then does not read at all until that read's time is up. The kernel's
 * receive buffer fills, the TCP window closes, and the server feels it.
 */
export class SlowReader {
  readonly buffer: Buffer;
  private timer: NodeJS.Timeout | undefined;

  /** @param pieceBytes most that one read takes */
  constructor(
    private readonly bytesPerSecond: number,
    pieceBytes: number = Math.ceil(bytesPerSecond / READS_PER_SECOND),
  ) {
    this.buffer = Buffer.allocUnsafeSlow(Math.min(MAX_READ_BYTES, Math.max(1, pieceBytes)));
  }

  /** Undefined for a pace that reads as fast as it can. */
  static of({ readBytesPerSecond, readPieceBytes }: Pace): SlowReader | undefined {
    return readBytesPerSecond === undefined ? undefined : new SlowReader(readBytesPerSecond, readPieceBytes);
  }

  /** After a read: lets the socket rest for as long as these bytes take. */
  rest(socket: { resume(): unknown }, bytes: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => socket.resume(), (bytes / this.bytesPerSecond) * 1000);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
