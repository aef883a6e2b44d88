import type { Writable } from 'node:stream';

const NOTHING = Buffer.alloc(0);

/** Calls back once the kernel has taken all that was written so far; not on a stream that fails. */
export function writtenTo(stream: Writable, then: () => void): void {
  stream.write(NOTHING, (error) => {
    if (error === undefined || error === null) then();
  });
}
