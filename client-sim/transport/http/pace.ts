import type { MisbehavePlan } from '../../../scenarios/schema/misbehave.js';

/** How slowly a connection goes on purpose; undefined: as fast as it can. */
export type Pace = Pick<MisbehavePlan, 'readBytesPerSecond' | 'writeBytesPerSecond'>;
