/**
 * `report.json`: the product. Everything else is rendered from it and from nothing else. Times are ISO 8601 or seconds,
 * latencies milliseconds, rates per second, sizes bytes; null where there was no data.
 */
import { z } from 'zod';
import { streamsSchema } from './sections/streams/build.js';

const count = z.number().int().min(0);
const maybe = z.number().nullable();
const iso = z.string();

const latency = z.strictObject({
  count,
  min: maybe,
  mean: maybe,
  p50: maybe,
  p90: maybe,
  p95: maybe,
  p99: maybe,
  p999: maybe,
  max: maybe,
});

/** Operations of a selection of stages, profiles, operations. */
const operations = {
  offered: count,
  sent: count,
  succeeded: count,
  failed: count,
  dropped: count,
  lost: count,
  unsent: count,
  /** Of `failed`: what we did on purpose or cut ourselves; in no error rate. */
  byUs: count,
  throughputPerSecond: maybe,
  offeredPerSecond: maybe,
  deliveredRatio: maybe,
  errorRate: maybe,
  latencyMs: latency,
  serviceMs: latency,
  lagMs: latency,
  /** From due to the end, of failed operations. */
  failureMs: latency,
};

/**
 * The same with the sessions and connections that served them. `answered`: with a correct answer, counted once in each
 * stage. `peak` is null where it is not told apart.
 */
const block = {
  ...operations,
  connectMs: latency,
  sessions: z.strictObject({
    opened: count,
    closed: count,
    lost: count,
    answered: count,
    peak: maybe,
    failures: z.record(z.string(), count),
  }),
  connections: z.strictObject({ opened: count, peak: maybe }),
  messagesSent: count,
  messagesReceived: count,
  bytesSent: count,
  bytesReceived: count,
  lateAnswers: count,
  misbehaved: z.record(z.string(), count),
};

/** Sessions by the replica that answered them; in the stateless era a session is a client's set of connections. */
const replicaSessions = z.strictObject({
  /** First answered by it, once in each stage. */
  answered: count,
  /** Answered by it before any other. */
  opened: count,
  /** Answered by another one before: sessions, once in each stage, and answers. */
  movedHere: count,
  moves: count,
  /** Which it answered that it does not know. */
  unknown: count,
});

/** What was answered by one replica; `share` of all answers that name theirs. */
const replicaPart = z.strictObject({
  replica: z.string(),
  share: z.number(),
  succeeded: count,
  failed: count,
  errorRate: maybe,
  latencyMs: latency,
  sessions: replicaSessions,
});

const stickiness = z.enum(['none', 'session', 'cookie', 'source']);

/** Sums over replicas. `sessions` and `moved` count a session once in each stage it was answered in. */
const affinitySums = { sessions: count, moved: count, moves: count, unknown: count };

const reading = z.strictObject({ mean: z.number(), worst: z.number() });
/** In a swarm: which task of which service it was, and on which node. */
const place = z.strictObject({ service: z.string(), slot: count, task: z.string(), node: z.string() });
const interval = z.strictObject({ median: z.number(), low: z.number(), high: z.number() });

const faultPhase = {
  /** From the order until all of it was seen in effect: for replicas, running and behind the gateway. */
  convergenceSeconds: maybe,
  /** From the order until throughput over 3 s stayed at 95 % of the 10 s before; 0: it never fell. */
  recoverySeconds: maybe,
  /** In words, why that is not known. */
  recoveryUnknown: z.string().optional(),
};

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  run: z.strictObject({
    id: z.string(),
    scenario: z.string(),
    description: z.string(),
    seed: z.number(),
    startedAt: iso.nullable(),
    endedAt: iso.nullable(),
    durationSeconds: z.number(),
    command: z.string(),
    version: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  verdict: z.strictObject({
    kind: z.enum(['passed', 'failed', 'invalid', 'incomplete']),
    reasons: z.array(z.string()),
  }),
  exitCode: z.number().int(),
  /**
   * What a reader must know before any number: nearness to the calibrated ceiling, plan warnings, unusable log lines.
   */
  notes: z.array(z.string()),
  thresholds: z.array(
    z.strictObject({
      check: z.string(),
      metric: z.string(),
      unit: z.enum(['ms', 'ratio', 'perSecond', 'count', 'cores', 'bytes']),
      comparison: z.enum(['<', '<=', '>', '>=', '==', '!=']),
      wanted: z.number(),
      actual: maybe,
      passed: z.boolean(),
      samples: count,
      /** In words, when there is no actual value. */
      why: z.string().optional(),
    }),
  ),
  summary: z.strictObject({ ...block, durationSeconds: z.number() }),
  stages: z.array(
    z.strictObject({
      name: z.string(),
      trial: count,
      measured: z.boolean(),
      startedAt: iso.nullable(),
      startSeconds: z.number(),
      durationSeconds: z.number(),
      ...block,
    }),
  ),
  profiles: z.array(
    z.strictObject({
      name: z.string(),
      load: z.string(),
      session: z.string(),
      window: z.string(),
      clients: count,
      ...block,
    }),
  ),
  operations: z.array(z.strictObject({ name: z.string(), profile: z.string(), method: z.string(), ...operations })),
  errors: z.array(
    z.strictObject({
      category: z.string(),
      /** In measured stages. */
      count,
      /** In all others. */
      unmeasured: count,
      sample: z
        .strictObject({
          atSeconds: z.number(),
          profile: z.string(),
          operation: z.string(),
          detail: z.string(),
          request: z.string().optional(),
          response: z.string().optional(),
        })
        .nullable(),
    }),
  ),
  /** What a session costs the target in memory, a row a measured stage in which sessions came or went. */
  memory: z.array(
    z.strictObject({
      stage: z.string(),
      trial: count,
      how: z.string(),
      /**
       * open: sessions that clients held; opened: all that were opened so far, so that the slope is what each leaves
       * behind.
       */
      against: z.enum(['open', 'opened']),
      fromSessions: z.number(),
      toSessions: z.number(),
      samples: count,
      /**
       * Slope of all replicas' memory, its 95 % interval, and the share of the variation that it explains; null with a
       * reason.
       */
      bytesPerSession: maybe,
      low: maybe,
      high: maybe,
      r2: maybe,
      why: z.string().optional(),
      /**
       * Memory before the stage, at its end, and after the rest without load that follows it; null where none does.
       * Share of what the stage added; null: nothing.
       */
      givenBack: z
        .strictObject({
          restSeconds: z.number(),
          beforeBytes: z.number(),
          endBytes: z.number(),
          afterBytes: z.number(),
          share: maybe,
        })
        .nullable(),
    }),
  ),
  /** Well-behaved profiles with and without one that misbehaves beside them, where measured stages have both. */
  neighbours: z.array(
    z.strictObject({
      profile: z.string(),
      neighbours: z.array(z.string()),
      alone: z.strictObject({ stages: z.array(z.string()), ...operations }),
      beside: z.strictObject({ stages: z.array(z.string()), ...operations }),
      /** beside / alone. */
      ratio: z.strictObject({ throughput: maybe, p50: maybe, p95: maybe, p99: maybe }),
      errorRateDifference: maybe,
    }),
  ),
  /** What clients did wrong on purpose, over all stages, and what the server made of it. None of it is in `errors`. */
  misbehaviour: z.array(
    z.strictObject({
      profile: z.string(),
      /** `readRate`, `writeRate`, `abort/WHEN`, `malformed/KIND`, `idle`, `reconnect`, `reconnect/return`. */
      kind: z.string(),
      done: count,
      reactions: z.array(
        z.strictObject({
          /** `result`, an error category, or what we did ourselves: `closed`, `cut`. */
          reaction: z.string(),
          count,
          /** right: as a sound server does; wrong: worth telling; neutral: says nothing about the server. */
          judgement: z.enum(['right', 'wrong', 'neutral']),
          meaning: z.string(),
          sample: z
            .strictObject({
              atSeconds: z.number(),
              operation: z.string(),
              detail: z.string(),
              request: z.string().optional(),
              response: z.string().optional(),
            })
            .nullable(),
        }),
      ),
    }),
  ),
  /** Only of runs with streams or publications. */
  streams: streamsSchema.optional(),
  timeline: z.array(
    z.strictObject({
      t: count,
      offered: count,
      sent: count,
      succeeded: count,
      failed: count,
      dropped: count,
      lost: count,
      unsent: count,
      p50Ms: maybe,
      p95Ms: maybe,
      p99Ms: maybe,
      maxMs: maybe,
      clients: count,
      sessions: count,
      sessionsOpened: count,
      connections: count,
      inFlight: count,
      queued: count,
      lagP99Ms: maybe,
      eventLoopUtilization: maybe,
      errors: z.record(z.string(), count).optional(),
    }),
  ),
  heatMap: z.strictObject({
    columnSeconds: count,
    rowsPerDecade: count,
    /** Row r holds latencies from 10^(r/rowsPerDecade) to 10^((r+1)/rowsPerDecade) microseconds. */
    firstRow: count,
    columns: z.array(z.array(count)),
  }),
  trials: z
    .strictObject({
      values: z.array(z.strictObject({ trial: count, metrics: z.record(z.string(), z.number()) })),
      /** Median over trials and its 95 % bootstrap interval. */
      intervals: z.record(z.string(), interval),
    })
    .optional(),
  workers: z.array(
    z.strictObject({
      id: z.string(),
      host: z.string(),
      place: place.optional(),
      pid: count,
      threads: count,
      slots: count,
      offered: count,
      sent: count,
      succeeded: count,
      failed: count,
      lostAtSeconds: maybe,
      ended: z.string().nullable(),
      batches: count,
      health: z.strictObject({ reports: count, saturated: count, values: z.record(z.string(), reading) }),
      clock: z.strictObject({ offsetMs: z.number(), errorMs: z.number() }).nullable(),
    }),
  ),
  replicas: z.array(
    z.strictObject({
      id: z.string(),
      node: z.string(),
      url: z.string(),
      /** In a swarm. */
      slot: count.optional(),
      task: z.string().optional(),
      /** Run time of one that came or went in mid-run. */
      cameAtSeconds: z.number().optional(),
      goneAtSeconds: z.number().optional(),
      cpu: reading.nullable(),
      memoryBytes: reading.nullable(),
      /** Where the platform knows them. */
      receivedBytesPerSecond: reading.optional(),
      sentBytesPerSecond: reading.optional(),
      /** As far as answers name their replica. */
      succeeded: count,
      failed: count,
      latencyMs: latency,
      sessions: replicaSessions,
    }),
  ),
  /** Of measured stages; null when no answer named its replica. */
  affinity: z
    .strictObject({
      ...affinitySums,
      /** Operations that ended without a replica that is known. */
      unattributed: count,
      perReplica: z.array(replicaPart),
      perProfile: z.array(
        z.strictObject({
          profile: z.string(),
          /** Null where there is no gateway of ours. */
          sticky: stickiness.nullable(),
          era: z.enum(['legacy', 'modern']).nullable(),
          ...affinitySums,
          /** Sessions that ended because they were not known any more, and that could not be opened. */
          lost: count,
          refused: count,
          succeeded: count,
          failed: count,
          errorRate: maybe,
          latencyMs: latency,
          perReplica: z.array(replicaPart),
        }),
      ),
    })
    .nullable(),
  usage: z.array(
    z.strictObject({
      id: z.string(),
      role: z.enum(['target', 'worker']),
      /** In a swarm; two tasks of one slot are two entries. */
      task: z.string().optional(),
      node: z.string().optional(),
      /**
       * `metrics.json`: what Prometheus scraped; `samples`: what the platform was asked for each second, where there is
       * no such file.
       */
      source: z.enum(['metrics.json', 'samples']),
      points: z.array(
        z.strictObject({
          t: z.number(),
          cpu: z.number(),
          memoryBytes: z.number(),
          receivedBytesPerSecond: z.number().optional(),
          sentBytesPerSecond: z.number().optional(),
        }),
      ),
    }),
  ),
  /**
   * What was changed on purpose while the load was on, in order of time; `undo` is null for one that lasted to the end
   * of the run.
   */
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      target: z.string(),
      at: iso.nullable(),
      atSeconds: maybe,
      /** When its undo was asked for; null when the platform did not take it. */
      undoneAt: iso.nullable(),
      undoneAtSeconds: maybe,
      endedBy: z.enum(['time', 'run-over']).nullable(),
      ...faultPhase,
      undo: z.strictObject(faultPhase).nullable(),
      /** Failed and lost operations from its beginning until everything was as before it. */
      failedDuring: count,
      problem: z.string().optional(),
    }),
  ),
  events: z.array(z.strictObject({ t: maybe, at: iso, type: z.string(), text: z.string() })),
  preflight: z
    .strictObject({
      ok: z.boolean(),
      problem: z.string().optional(),
      exchanges: z.array(
        z.strictObject({
          step: z.string(),
          request: z.string(),
          response: z.string(),
          durationMs: z.number(),
          ok: z.boolean(),
          problem: z.string().optional(),
        }),
      ),
    })
    .nullable(),
  environment: z.record(z.string(), z.unknown()),
  /** As it ran, redacted. */
  plan: z.record(z.string(), z.unknown()),
  balance: z.array(
    z.strictObject({
      worker: z.string(),
      stage: z.string(),
      gap: count,
      offeredGap: z.number().int(),
      sentGap: z.number().int(),
      errorsGap: z.number().int(),
      workerLost: z.boolean(),
    }),
  ),
  /**
   * HdrHistogram V2 compressed, base64, microseconds: `latency`, ... over measured stages; `stage/3/latency`;
   * `operation/PROFILE/NAME/latency`.
   */
  histograms: z.record(z.string(), z.string()),
});

export type Report = z.infer<typeof reportSchema>;
export type LatencyBlock = z.infer<typeof latency>;
export type StageBlock = Report['stages'][number];

export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema, { target: 'draft-2020-12' });
}
