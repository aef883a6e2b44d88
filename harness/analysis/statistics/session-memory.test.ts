import { describe, expect, test } from '@jest/globals';
import { check, samplePlan, sampleStage } from '../../../tests/support/analysis/sample-plan.js';
import { sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { measure } from '../judge/measure.js';
import { RunAggregate } from '../merge/aggregate.js';
import { sessionMemory } from './session-memory.js';

const seconds = 30;
const plan = samplePlan({ stages: [sampleStage({ index: 0, name: 'held', startMs: 0, durationMs: seconds * 1000 })] });

interface Server {
  /** At the end of second `t`, from 1. */
  readonly sessions: (t: number) => number;
  readonly opened: (t: number) => number;
  readonly memoryBytes: (t: number, replica: number) => number;
  readonly replicas?: number;
}

function runOf({ sessions, opened, memoryBytes, replicas = 1 }: Server): RunAggregate {
  const aggregate = new RunAggregate(plan);
  for (const { workerId, batch } of sampleTelemetry(plan, { workers: 1 })) {
    const t = batch.toMs / 1000;
    aggregate.add(workerId, {
      ...batch,
      gauges: { ...batch.gauges, sessions: sessions(t) },
      sessions: batch.sessions.map((one) => ({ ...one, sessionsOpened: opened(t) })),
    });
  }
  for (let t = 1; t <= seconds; t += 1) {
    aggregate.addUsage(
      t * 1000,
      Array.from({ length: replicas }, (_, replica) => ({
        id: `replica-${replica + 1}`,
        role: 'target' as const,
        cpu: 0.1,
        memoryBytes: memoryBytes(t, replica),
      })),
    );
  }
  return aggregate;
}

/** Repeatable, in -1 to 1. */
function noise(at: number): number {
  return (Math.sin(at * 12.9898) * 43758.5453) % 1;
}
/** 20 a second, held open; 5,000 bytes each above 50 MB. */
const held: Server = {
  sessions: (t) => 20 * t,
  opened: () => 20,
  memoryBytes: (t) => 50e6 + 5000 * 20 * t + 10_000 * noise(t),
};
function judged(aggregate: RunAggregate, metric: string, limit: number) {
  return measure(check(metric, '<', limit, { stage: 'held' }), plan, aggregate);
}

describe('memory per session', () => {
  test('is the slope of memory against sessions, with an interval around the truth', () => {
    const found = sessionMemory(plan, runOf(held), [0], 'open');
    expect(found).toMatchObject({ kind: 'fit', samples: seconds, fromSessions: 20, toSessions: 600 });
    if (found.kind !== 'fit') return;
    expect(found.bytes.low).toBeLessThan(5000);
    expect(found.bytes.high).toBeGreaterThan(5000);
    expect(found.bytes.slope).toBeGreaterThan(4900);
    expect(found.bytes.slope).toBeLessThan(5100);
    expect(found.bytes.r2).toBeGreaterThan(0.99);
  });

  test('covers all replicas together, or one replica with its share of the sessions', () => {
    const uneven: Server = {
      ...held,
      replicas: 2,
      memoryBytes: (t, replica) => 50e6 + (replica === 0 ? 4000 : 1000) * 20 * t,
    };
    const slopeOf = (replica?: string): number => {
      const found = sessionMemory(plan, runOf(uneven), [0], 'open', replica);
      return found.kind === 'fit' ? Math.round(found.bytes.slope) : Number.NaN;
    };
    expect(slopeOf()).toBe(5000);
    expect([slopeOf('replica-1'), slopeOf('replica-2')]).toEqual([8000, 2000]);
  });

  test('that sessions leave behind is found where they come and go', () => {
    const leaking: Server = {
      sessions: () => 20,
      opened: () => 100,
      memoryBytes: (t) => 50e6 + 700 * 100 * t + 5000 * noise(t),
    };
    const aggregate = runOf(leaking);
    expect(sessionMemory(plan, aggregate, [0], 'open')).toMatchObject({
      kind: 'none',
      why: 'sessions went from 20 to 20: too few to see what one costs',
    });
    const left = judged(aggregate, 'memory.leftPerSession', 10_000);
    expect(left.kind === 'value' && Math.round(left.value / 100)).toBe(7);
    expect(judged(aggregate, 'memory.perSession', 10_000).kind).toBe('no-data');
  });

  test('has no value where the fit is too poor for the limit', () => {
    const wild: Server = { ...held, memoryBytes: (t) => 50e6 + 5000 * 20 * t + 3e6 * noise(t) };
    const aggregate = runOf(wild);
    const poor = judged(aggregate, 'memory.perSession', 5000);
    expect(poor).toMatchObject({
      kind: 'no-data',
      why: expect.stringMatching(/^between .* and .* a session .*: too uncertain to compare with 4\.88 KiB$/),
    });
    // Against a limit far off, the same fit is good enough.
    expect(judged(aggregate, 'memory.perSession', 1e6)).toMatchObject({ kind: 'value' });
  });

  test('has no data where memory is not known', () => {
    const aggregate = new RunAggregate(plan);
    for (const { workerId, batch } of sampleTelemetry(plan, { workers: 1 })) aggregate.add(workerId, batch);
    expect(judged(aggregate, 'memory.perSession', 1e9)).toMatchObject({
      kind: 'no-data',
      why: expect.stringContaining('memory of the target is not known'),
    });
  });
});
