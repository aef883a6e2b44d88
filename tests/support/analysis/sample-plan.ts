import type { Check, Plan, ProfilePlan, StagePlan, ThresholdPlan } from '../../../scenarios/schema/plan.js';

/** 4 clients at 25/s: a warm-up of 2 s and a measured stage of 4 s. */
export function samplePlan(changes: Partial<Plan> = {}): Plan {
  return {
    planVersion: 1,
    scenario: 'sample',
    description: 'A plan for tests.',
    seed: 7,
    source: { file: 'scenarios/sample.yaml', configHash: 'c0ffee' },
    target: { kind: 'reference', replicas: 1, sticky: 'session', era: 'auto' },
    profiles: [sampleProfile()],
    stages: [
      sampleStage({ index: 0, name: 'warm-up', startMs: 0, durationMs: 2000, measured: false }),
      sampleStage({ index: 1, name: 'steady', startMs: 2000, durationMs: 4000 }),
    ],
    trials: 1,
    faults: [],
    thresholds: [],
    stopWhen: [],
    onWorkerLoss: 'fail',
    drainMs: 2000,
    limits: { clients: 1000, ratePerSecond: 1e6, durationMs: 3_600_000, bytes: 1e12, answerBytes: 16_777_216 },
    preflight: { calls: 'require', timeoutMs: 10_000 },
    warnings: [],
    ...changes,
  };
}

export function sampleProfile(changes: Partial<ProfilePlan> = {}): ProfilePlan {
  return {
    name: 'normal',
    description: 'four clients',
    clients: 4,
    firstSlot: 0,
    transport: 'streamable-http',
    session: { mode: 'reuse' },
    arrivals: { model: 'open', ratePerSecond: 25, spacing: 'uniform' },
    maxInFlight: 8,
    connections: 8,
    pipeline: 1,
    pacing: 'batch',
    timeoutMs: 5000,
    onClose: 'delete',
    operations: [
      { name: 'echo', method: 'tools/call', params: { kind: 'constant', json: '{}' }, target: 'echo', weight: 4 },
      { name: 'ping', method: 'ping', params: { kind: 'constant', json: '{}' }, weight: 1 },
    ],
    misbehave: {},
    ...changes,
  };
}

export function sampleStage(
  changes: Partial<StagePlan> & Pick<StagePlan, 'index' | 'name' | 'startMs' | 'durationMs'>,
): StagePlan {
  return {
    trial: 1,
    measured: true,
    scale: 'rate',
    segments: [{ startMs: changes.startMs, endMs: changes.startMs + changes.durationMs, from: 1, to: 1 }],
    ...changes,
  };
}

export function check(
  metric: string,
  comparison: Check['comparison'],
  value: number,
  labels: Check['labels'] = {},
): Check {
  const names = Object.entries(labels).map(([label, is]) => `${label}="${is}"`);
  return {
    text: `${metric}${names.length === 0 ? '' : `{${names.join(',')}}`} ${comparison} ${value}`,
    metric,
    labels,
    comparison,
    value,
  };
}

export function threshold(of: Check): ThresholdPlan {
  return { check: of, abortOnFail: false, afterMs: 0 };
}
