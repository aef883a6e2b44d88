/** Revisions of the protocol: the last of the session era, and the one of the stateless era. */
export type Revision = '2025-11-25' | '2026-07-28';
