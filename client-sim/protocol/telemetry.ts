import { z } from 'zod';
import { health, PROTOCOL } from './messages.js';
import { flow, streamCounts } from './streams.js';

const replicaCount = z.number().int().min(0);

/**
 * What one replica did for one (stage, profile), as far as its answers named it. An operation belongs to the stage it
 * was due in, a session to each stage in which it was answered. A session is a client's set of connections in the
 * stateless era.
 */
const replicaSeries = z.strictObject({
  stage: replicaCount,
  profile: z.string(),
  /** As it calls itself, or as the gateway before it calls it. */
  replica: z.string(),
  succeeded: replicaCount,
  /** With an answer from it; what was never answered has no replica, but where an endpoint is one. */
  failed: replicaCount,
  /** Sessions whose first answer of the stage came from it. */
  sessions: replicaCount,
  /** Sessions whose very first answer came from it. */
  opened: replicaCount,
  /** Sessions whose first move of the stage was to it. */
  moved: replicaCount,
  /** Its answers in sessions whose answer before came from another replica. */
  moves: replicaCount,
  /** Sessions that it answered as one it does not know. */
  unknown: replicaCount,
  /** From due, of succeeded ones. */
  latency: z.string().optional(),
});
export type ReplicaSeries = z.infer<typeof replicaSeries>;

/**
 * What workers report while they run, once a second and at each end of a stage, and what the controller says to it.
 * Units as in `messages.ts`.
 */

const count = z.number().int().min(0);

export const histogramNames = ['latency', 'service', 'lag', 'failure'] as const;
export type HistogramName = (typeof histogramNames)[number];

/** Operations of one (stage, profile, operation). An operation belongs to the stage it was due in, whenever it ends. */
const operationSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  operation: z.string(),
  offered: count,
  sent: count,
  succeeded: count,
  failed: count,
  /** Window was full until the stage ended. */
  dropped: count,
  /** No answer when the drain ended. */
  lost: count,
  /** Due but not sent for another reason: no session, stopped, limit. */
  unsent: count,
  /** By category; their sum is `failed`. */
  errors: z.record(z.string(), count),
  /**
   * HdrHistogram V2 compressed, base64, integer microseconds. Absent when empty. `failure`: due to end of failed ones.
   */
  histograms: z.partialRecord(z.enum(histogramNames), z.string()),
});
export type OperationSeries = z.infer<typeof operationSeries>;

/** Sessions and connections of one (stage, profile). */
const sessionSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  sessionsOpened: count,
  sessionsClosed: count,
  sessionsLost: count,
  /**
   * Sessions that had a correct answer to an operation in this stage, each counted once, in the stage in which the
   * answer came.
   */
  sessionsAnswered: count,
  connectionsOpened: count,
  connectFailures: z.record(z.string(), count),
  messagesSent: count,
  messagesReceived: count,
  bytesSent: count,
  bytesReceived: count,
  lateAnswers: count,
  /** What misbehaving clients did, by kind; never part of errors. */
  misbehaved: z.record(z.string(), count),
  /** TCP + TLS + handshake. */
  connect: z.string().optional(),
  streams: streamCounts.optional(),
  /** HdrHistogram: from when a publication was due to when a subscriber read of it. */
  delivery: z.string().optional(),
  /** With `delivery`: how far the clocks it was measured by may have been apart, at worst; 0: the same clock. */
  clockErrorMs: z.number().min(0).optional(),
  /** HdrHistogram: from a consumer's return to when it had heard all that was published while it was away. */
  catchUp: z.string().optional(),
});
export type SessionSeries = z.infer<typeof sessionSeries>;

const errorSample = z.strictObject({
  category: z.string(),
  profile: z.string(),
  operation: z.string(),
  atMs: z.number(),
  detail: z.string(),
  request: z.string().optional(),
  response: z.string().optional(),
});
export type ErrorSample = z.infer<typeof errorSample>;

export const telemetry = z.strictObject({
  protocol: z.literal(PROTOCOL),
  runId: z.string(),
  /** From 1, without gaps, per worker and run. */
  sequence: z.number().int().positive(),
  /** Run time; a batch ends at each whole second and at each end of a stage, so batches of all workers line up. */
  fromMs: z.number(),
  toMs: z.number(),
  stage: count,
  series: z.array(operationSeries),
  sessions: z.array(sessionSeries),
  /** Absent when no answer named its replica. */
  replicas: z.array(replicaSeries).optional(),
  /** At `toMs`. */
  gauges: z.strictObject({ clients: count, sessions: count, connections: count, inFlight: count, queued: count }),
  health: health.optional(),
  samples: z.array(errorSample),
  /** Since the last batch, by publisher. Absent: nothing was published or heard of. */
  flows: z.array(flow).optional(),
  /** Set on the last batch of this worker for this run. */
  final: z
    .strictObject({ reason: z.enum(['finished', 'stopped', 'lease-lost', 'failed']), problem: z.string().optional() })
    .optional(),
});
export type Telemetry = z.infer<typeof telemetry>;

export const acknowledgement = z.strictObject({ protocol: z.literal(PROTOCOL), acknowledged: count });
export type Acknowledgement = z.infer<typeof acknowledgement>;
