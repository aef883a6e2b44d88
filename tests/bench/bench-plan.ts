import type { ArrivalsPlan, OperationPlan, ProfilePlan, StagePlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import { WARM_UP_SECONDS } from './load-time.js';

/** The operation every contestant sends: a small tool call. */
export const benchOperation: OperationPlan = {
  name: 'echo',
  method: 'tools/call',
  params: {
    kind: 'object',
    entries: [
      ['name', { kind: 'constant', json: '"echo"' }],
      [
        'arguments',
        { kind: 'object', entries: [['message', { kind: 'string', parts: [{ name: 'text', length: 32 }] }]] },
      ],
    ],
  },
  target: 'echo',
  weight: 1,
};

interface BenchLoad {
  readonly clients: number;
  readonly pipeline: number;
  /** Undefined: closed loop, as fast as answers come. */
  readonly ratePerSecond: number | undefined;
  readonly seconds: number;
  readonly pacing?: ProfilePlan['pacing'];
}

/**
 * The stage that counts. Two before it warm up: V8 has compiled the hot path for one stage when the first change of
 * stages comes, and compiles it again, which made a lag of 1 to 3 ms for some 20 ms (seen with --trace-deopt).
 */
export const MEASURED_STAGE = 2;

/** A plan of one profile, for the worker's own engine. */
export function benchPlan({ clients, pipeline, ratePerSecond, seconds, pacing = 'batch' }: BenchLoad): WorkerPlan {
  const arrivals: ArrivalsPlan =
    ratePerSecond === undefined
      ? { model: 'closed', thinkTime: { kind: 'none' } }
      : { model: 'open', ratePerSecond, spacing: 'uniform' };
  const profile: ProfilePlan = {
    name: 'bench',
    description: '',
    clients,
    firstSlot: 0,
    transport: 'streamable-http',
    session: { mode: 'reuse' },
    arrivals,
    maxInFlight: pipeline,
    connections: 1,
    pipeline,
    pacing,
    timeoutMs: 5000,
    onClose: 'delete',
    operations: [benchOperation],
    misbehave: {},
  };
  const warmUpMs = WARM_UP_SECONDS * 1000;
  const durationMs = warmUpMs + seconds * 1000;
  const stage = (index: number, startMs: number, endMs: number): StagePlan => ({
    index,
    name: `stage ${index}`,
    trial: 1,
    startMs,
    durationMs: endMs - startMs,
    measured: index === MEASURED_STAGE,
    scale: 'clients',
    segments: [{ startMs, endMs, from: 1, to: 1 }],
  });
  return {
    scenario: 'bench',
    seed: 1,
    profiles: [profile],
    drainMs: 1000,
    stages: [stage(0, 0, warmUpMs / 2), stage(1, warmUpMs / 2, warmUpMs), stage(MEASURED_STAGE, warmUpMs, durationMs)],
    limits: {
      clients,
      ratePerSecond: 100_000_000,
      durationMs,
      bytes: Number.MAX_SAFE_INTEGER,
      answerBytes: 16_777_216,
    },
    preflight: { calls: 'require', timeoutMs: 10_000 },
  };
}
