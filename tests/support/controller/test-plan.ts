import type { Plan, ProfilePlan, StagePlan } from '../../../scenarios/schema/plan.js';

const PROFILE: ProfilePlan = {
  name: 'steady',
  description: '',
  clients: 10,
  firstSlot: 0,
  transport: 'streamable-http',
  session: { mode: 'reuse' },
  arrivals: { model: 'open', ratePerSecond: 10, spacing: 'uniform' },
  maxInFlight: 1,
  connections: 1,
  pipeline: 1,
  pacing: 'batch',
  timeoutMs: 1000,
  onClose: 'delete',
  operations: [{ name: 'echo', method: 'tools/call', params: { kind: 'constant', json: '{}' }, weight: 1 }],
  misbehave: {},
};

/** A plan of whole-second stages for tests. Its target is never called. */
export function testPlan(seconds: readonly number[], overrides: Partial<Plan> = {}): Plan {
  let startMs = 0;
  const stages = seconds.map((length, index): StagePlan => {
    const durationMs = length * 1000;
    const stage = {
      index,
      name: `stage-${index + 1}`,
      trial: 1,
      startMs,
      durationMs,
      measured: true,
      scale: 'clients' as const,
      segments: [{ startMs, endMs: startMs + durationMs, from: 1, to: 1 }],
    };
    startMs += durationMs;
    return stage;
  });
  return {
    planVersion: 1,
    scenario: 'test',
    description: '',
    seed: 1,
    source: { file: 'test.yaml', configHash: 'test' },
    target: {
      kind: 'url',
      urls: ['http://127.0.0.1:9/mcp?key=hidden'],
      headers: { authorization: 'Bearer hidden' },
      era: 'auto',
    },
    profiles: [PROFILE],
    stages,
    trials: 1,
    faults: [],
    thresholds: [],
    stopWhen: [],
    onWorkerLoss: 'fail',
    drainMs: 500,
    limits: { clients: 1000, ratePerSecond: 10_000, durationMs: 600_000, bytes: 1e9, answerBytes: 16_777_216 },
    preflight: { calls: 'require', timeoutMs: 10_000 },
    warnings: [],
    ...overrides,
  };
}
