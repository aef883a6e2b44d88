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
