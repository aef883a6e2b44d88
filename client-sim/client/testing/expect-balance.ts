import { expect } from '@jest/globals';
import { type SimulationResult, sumOf } from './run-simulation.js';

/** Whatever was due became exactly one of the things that can become of it, and so did every session. */
export function expectBalance({ series, sessions, world }: SimulationResult): void {
  for (const row of series) {
    expect(row.offered).toBe(row.sent + row.dropped + row.unsent);
    expect(row.sent).toBe(row.succeeded + row.failed + row.lost);
    expect(Object.values(row.errors).reduce((sum, count) => sum + count, 0)).toBe(row.failed);
  }
  const opened = sessions.reduce((total, row) => total + row.sessionsOpened, 0);
  const ended = sessions.reduce((total, row) => total + row.sessionsClosed + row.sessionsLost, 0);
  expect(ended).toBe(opened);
  const answered = sessions.reduce((total, row) => total + row.sessionsAnswered, 0);
  const succeeded = sumOf(series).succeeded;
  expect(answered).toBeLessThanOrEqual(succeeded);
  expect(answered > 0).toBe(succeeded > 0);
  expect(world.channels.every((channel) => channel.ended || !channel.opened)).toBe(true);
}
