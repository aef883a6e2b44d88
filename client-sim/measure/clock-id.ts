import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Differs with every start of a machine, and is the same in all its containers, as the clock is (random(4)). */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Names the monotonic clock this process reads, 8 hex digits: processes with the same name read the same clock. */
export function clockId(): string {
  const hash = createHash('sha256').update(bootId()).digest('hex').slice(0, 8);
  return hash === '00000000' ? '00000001' : hash;
}

function bootId(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    // Not Linux: one process is then sure to share its clock only with those of the same machine by name.
    return hostname();
  }
}
