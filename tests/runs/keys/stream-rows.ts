import { expect } from '@jest/globals';
import type { Rows } from '../../support/key-rows.js';
import { once } from '../../support/once.js';
import { startReferenceTarget } from '../../support/reference-target.js';
import { operationTotals } from '../../support/run-files.js';
import { streamTotals } from '../../support/streams.js';
import { run } from '../../support/swarmbench.js';

const topic = 'bench://topic/{{ client 2 }}';
const stamped = { tool: 'publish', arguments: { topic: '{{ client 2 }}', stamp: '{{ stamp }}' } };

/**
 * Four clients that listen and ask for what they missed while they were away, two that do not, one with a stream and no
 * subscription.
 */
const listeners = once(async () => {
  const server = await startReferenceTarget();
  const finished = await run({
    target: server.url,
    scenario: {
      name: 'listeners',
      target: { era: 'legacy' },
      workload: {
        patient: {
          profile: 'subscriber',
          clients: 4,
          timeout: '20s',
          operations: [{ subscribe: topic }],
          stream: { away: ['away'] },
        },
        forgetful: {
          profile: 'subscriber',
          clients: 2,
          timeout: '20s',
          operations: [{ subscribe: topic }],
          stream: { away: ['away'], resume: false },
        },
        opener: {
          profile: 'low-load',
          clients: 1,
          arrivals: { rate: '5/s' },
          connections: 1,
          stream: { open: true },
          operations: [{ tool: 'progress', progress: true, arguments: { steps: 3, delayMs: 1 } }],
        },
        publisher: { clients: 2, arrivals: { rate: '20/s' }, connections: 1, operations: [stamped] },
      },
      stages: [
        { name: 'before', duration: '2s' },
        { name: 'away', duration: '1s' },
        { name: 'after', duration: '1s' },
      ],
    },
  });
  return { ...finished, server: server.stats(), of: (profile: string) => streamTotals(finished.telemetry, profile) };
});

export const streamRows: Rows = {
  'profile.stream': async () => {
    const { server, of } = await listeners();
    const opened = ['patient', 'forgetful', 'opener'].map((name) => of(name).opened + of(name).resumed);
    // One more for each of them in preflight.
    expect(server.streams.opened).toBe(opened.reduce((sum, count) => sum + count, 3));
  },
  'profile.stream.open': async () =>
    expect((await listeners()).of('opener')).toMatchObject({ opened: 1, resumed: 0, updates: 0 }),
  'profile.stream.away': async () => {
    const { server, of } = await listeners();
    expect([of('patient').returned, of('forgetful').returned, of('opener').returned]).toEqual([4, 2, 0]);
    expect(server.streams.replayed).toBeGreaterThan(0);
  },
  'profile.stream.resume': async () => {
    const { of } = await listeners();
    expect(of('patient')).toMatchObject({ opened: 4, resumed: 4 });
    expect(of('forgetful')).toMatchObject({ opened: 4, resumed: 0 });
    // Half of what is published, less one second of four.
    expect(of('forgetful').delivered / 2).toBeLessThan(of('patient').delivered / 4);
  },
  'profile.operations.*.subscribe': async () => {
    const { server, telemetry } = await listeners();
    expect(operationTotals(telemetry).get(topic)).toMatchObject({ sent: 6, succeeded: 6 });
    // One for each of the two profiles in preflight.
    expect(server.requests['resources/subscribe']).toEqual({ ok: 8 });
  },
  'profile.operations.*.progress': async () => {
    const { server, telemetry, of } = await listeners();
    const calls = operationTotals(telemetry).get('progress')?.succeeded ?? 0;
    expect(of('opener').progress).toBe(3 * calls);
    // The trial call of the preflight asked for its progress too.
    expect(server.streams.progress).toBe(3 * (calls + 1));
  },
};
