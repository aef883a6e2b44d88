import { describe, expect, jest, test } from '@jest/globals';
import { startProgram } from '../support/program.js';
import { readRun } from '../support/run-files.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(180_000);

interface Sides {
  readonly memory: readonly {
    readonly stage: string;
    readonly how: string;
    readonly against: string;
    readonly fromSessions: number;
    readonly toSessions: number;
    readonly samples: number;
    readonly bytesPerSession: number | null;
    readonly low: number | null;
    readonly high: number | null;
    readonly why?: string;
    readonly givenBack: { readonly restSeconds: number; readonly endBytes: number; readonly afterBytes: number } | null;
  }[];
  readonly neighbours: readonly {
    readonly profile: string;
    readonly neighbours: readonly string[];
    readonly alone: Side;
    readonly beside: Side;
  }[];
  readonly thresholds: readonly {
    readonly check: string;
    readonly passed: boolean;
    readonly actual: number | null;
    readonly why?: string;
  }[];
}
interface Side {
  readonly stages: readonly string[];
  readonly succeeded: number;
  readonly errorRate: number | null;
  readonly latencyMs: { readonly count: number };
}

/** A shipped scenario in a fraction of its time. */
async function shipped(name: string, timeScale: string) {
  const results = tempFolder();
  const program = startProgram('harness/cli/main.js', ['run', name, '--time-scale', timeScale, '--out', results]);
  const code = await program.ended;
  try {
    const files = readRun(results);
    return { ...files, code, sides: files.report as unknown as Sides };
  } catch (cause) {
    throw new Error(`${name} left no report (exit code ${code}):\n${program.stdout()}${program.stderr()}`, { cause });
  }
}

describe('what is compared within one run', () => {
  test('session-leak: sessions held, deleted and abandoned; noisy-neighbour: alone and beside others', async () => {
    const [leak, noisy] = await Promise.all([shipped('session-leak', '0.1'), shipped('noisy-neighbour', '0.12')]);

    const row = (stage: string, against: string) =>
      leak.sides.memory.find((one) => one.stage === stage && one.against === against);
    expect(row('held', 'open')).toMatchObject({ how: 'delete' });
    // More than the others have at once; how many of the 600 a busy machine opens in this time is its own affair.
    expect(row('held', 'open')?.toSessions).toBeGreaterThan(20);
    expect(row('deleted', 'opened')).toMatchObject({ how: 'delete' });
    expect(row('abandoned', 'opened')).toMatchObject({ how: 'abandon' });
    expect(leak.sides.memory).toHaveLength(3);
    for (const { bytesPerSession, low, high, samples, why, givenBack } of leak.sides.memory) {
      expect(givenBack?.restSeconds).toBeCloseTo(4, 3);
      expect(givenBack?.afterBytes).toBeGreaterThan(0);
      // A line has an interval, and where there is none there is a reason.
      if (bytesPerSession === null) expect(why).toMatch(/too few|too little/);
      else
        expect([low ?? Infinity, bytesPerSession, high ?? -Infinity]).toEqual(
          [low ?? 0, bytesPerSession, high ?? 0].sort((a, b) => a - b),
        );
      expect(samples).toBeGreaterThan(0);
    }
    // The one that no line can decide has not passed.
    for (const { check, actual, passed, why } of leak.sides.thresholds.filter((one) =>
      one.check.startsWith('memory.'),
    )) {
      expect({ check, passed: actual === null ? passed : false }).toEqual({ check, passed: false });
      if (actual === null) expect(why).toMatch(/too few|too little|too uncertain/);
    }
    expect(leak.report.errors).toEqual([]);

    const [victims] = noisy.sides.neighbours;
    expect(victims).toMatchObject({
      profile: 'victims',
      neighbours: ['error-injector', 'reconnector', 'slow-writer', 'slow-client'],
      alone: { stages: ['alone'] },
      beside: { stages: ['beside'] },
    });
    for (const side of [victims?.alone, victims?.beside]) expect(side?.latencyMs.count).toBeGreaterThan(300);
    const kinds = new Set(noisy.report.misbehaviour.map(({ kind }) => kind.split('/')[0]));
    expect([...kinds].sort()).toEqual(['abort', 'malformed', 'readRate', 'reconnect', 'writeRate']);
    expect(noisy.report.summary.failed - noisy.report.summary.byUs).toBe(
      noisy.report.errors.reduce((sum, { count }) => sum + count, 0) - noisy.report.summary.lost,
    );
  });
});
