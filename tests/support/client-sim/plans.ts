import type { OperationPlan, ProfilePlan, StagePlan, WorkerPlan } from '../../../scenarios/schema/plan.js';

/** Plans for tests: every field has a sensible value, and a test sets those that it is about. */
export function testOperation(name: string, weight = 1): OperationPlan {
  return {
    name,
    method: 'tools/call',
    params: { kind: 'constant', json: JSON.stringify({ name, arguments: {} }) },
    target: name,
    weight,
  };
}

export function testProfile(overrides: Partial<ProfilePlan> = {}): ProfilePlan {
  return {
    name: 'profile',
    description: '',
    clients: 1,
    firstSlot: 0,
    transport: 'streamable-http',
    session: { mode: 'reuse' },
    arrivals: { model: 'open', ratePerSecond: 100, spacing: 'uniform' },
    maxInFlight: 1,
    connections: 1,
    pipeline: 1,
    pacing: 'batch',
    timeoutMs: 1_000,
    onClose: 'abandon',
    operations: [testOperation('echo')],
    misbehave: {},
    ...overrides,
  };
}

interface TestStage {
  readonly ms: number;
  readonly from?: number;
  readonly to?: number;
  readonly scale?: 'clients' | 'rate';
}

/** Consecutive stages. The default load is 1. */
export function testStages(...stages: readonly TestStage[]): readonly StagePlan[] {
  let startMs = 0;
  return stages.map(({ ms, from = 1, to = from, scale = 'clients' }, index) => {
    const stage: StagePlan = {
      index,
      name: `stage-${index}`,
      trial: 1,
      startMs,
      durationMs: ms,
      measured: true,
      scale,
      segments: [{ startMs, endMs: startMs + ms, from, to }],
    };
    startMs += ms;
    return stage;
  });
}

export function testPlan(overrides: Partial<WorkerPlan> = {}): WorkerPlan {
  return {
    scenario: 'test',
    seed: 7,
    profiles: [testProfile()],
    stages: testStages({ ms: 1_000 }),
    drainMs: 500,
    limits: {
      clients: 100_000,
      ratePerSecond: 10_000_000,
      durationMs: 86_400_000,
      bytes: Number.MAX_SAFE_INTEGER,
      answerBytes: 16_777_216,
    },
    preflight: { calls: 'require', timeoutMs: 10_000 },
    ...overrides,
  };
}
