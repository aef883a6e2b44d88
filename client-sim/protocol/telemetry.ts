/**
 * What workers report while they run, once a second and at each end of a stage, and the controller's answer. Units as
 * in `messages.ts`.
 */
import { z } from 'zod';
import { health, PROTOCOL } from './messages.js';
import { outcomeSeries } from './outcomes.js';
import { flow, streamCounts } from './streams.js';

const count = z.number().int().min(0);

/**
 * `latencyFloor` and `serviceFloor` are the latency and the service time without what the generator itself added, of
 * the same operations: the lower ends of an interval that holds the truth, whose upper ends are `latency` and
 * `service`. A quantile of one is never above the same quantile of the other.
 */
export const histogramNames = ['latency', 'service', 'lag', 'failure', 'latencyFloor', 'serviceFloor'] as const;
export type HistogramName = (typeof histogramNames)[number];

/**
 * Operations of one (stage, profile, operation). They belong to the stage in which they were due, whenever they end.
 */
const operationSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  operation: z.string(),
  offered: count,
  sent: count,
  succeeded: count,
  failed: count,
  /** There was no room until the stage ended. */
  dropped: count,
  /** No answer when the drain ended. */
  lost: count,
  /** Due but not sent for another reason: no session, stopped, limit. */
  unsent: count,
  /** By category; their sum is `failed`. */
  errors: z.record(z.string(), count),
  /**
   * Integer microseconds in HdrHistogram's cells, packed (`packCells`) or V2 compressed, base64. Absent when empty.
   * `failure`: failed operations, from due to end. The floors hold as many values as `latency`, or fewer where our own
   * share is not known (an SDK's transport, a worker of an older version). `serviceFloor` is absent where it equals
   * `latencyFloor`.
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
  /** Sessions that gave a correct answer to an operation in this stage, each counted once. */
  sessionsAnswered: count,
  connectionsOpened: count,
  connectFailures: z.record(z.string(), count),
  messagesSent: count,
  messagesReceived: count,
  bytesSent: count,
  bytesReceived: count,
  lateAnswers: count,
  /** What misbehaving clients did, by kind; not part of errors. */
  misbehaved: z.record(z.string(), count),
  /** TCP + TLS + handshake. */
  connect: z.string().optional(),
  streams: streamCounts.optional(),
  /** HdrHistogram: from the due time of a publication until a subscriber received it. */
  delivery: z.string().optional(),
  /** With `delivery`: by how much the clocks that measured it may have differed at most; 0: the same clock. */
  clockErrorMs: z.number().min(0).optional(),
  /** HdrHistogram: from a subscriber's return until it received all that was published while it was away. */
  catchUp: z.string().optional(),
});
export type SessionSeries = z.infer<typeof sessionSeries>;

/**
 * What one replica did for one (stage, profile), according to the answers that named it. An operation belongs to the
 * stage in which it was due, a session to each stage in which it was answered. In the stateless era, a session is a
 * client's set of connections.
 */
const replicaSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  /** The name that it, or the gateway in front of it, gives. */
  replica: z.string(),
  succeeded: count,
  /** With an answer from it. What was never answered has a replica only if the endpoint is one. */
  failed: count,
  /** Sessions whose first answer of the stage came from it. */
  sessions: count,
  /** Sessions whose very first answer came from it. */
  opened: count,
  /** Sessions whose first move in the stage was to it. */
  moved: count,
  /** Its answers in sessions whose previous answer came from another replica. */
  moves: count,
  /** Sessions that it answered as unknown. */
  unknown: count,
  /** Of succeeded operations, from their due time. */
  latency: z.string().optional(),
  /** The same without what the generator itself added; absent where that is not known. */
  latencyFloor: z.string().optional(),
});
export type ReplicaSeries = z.infer<typeof replicaSeries>;

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

/** The most samples that are kept of one category. */
export const MOST_SAMPLES_OF_CATEGORY = 10;

/**
 * A message without what differs from one failure to the next: numbers, and words that hold a digit, such as ids.
 * Failures whose messages have the same shape are of the same kind.
 */
export function messageShape(message: string): string {
  return message
    .slice(0, 500)
    .replaceAll(/\b(?=[\w-]*\d)[\w-]{8,}/g, '#')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '#')
    .replaceAll(/\s+/g, ' ');
}

const milliseconds = z.number().min(0);

/**
 * What the worker's engine threads added to the times they measured in this interval. Sums are of all threads, the rest
 * is of the worst one.
 */
const ownTime = z.strictObject({
  /** Operations sent, and how late they left after they were due and there was room for them. */
  sent: count,
  outSumMs: milliseconds,
  outMaxMs: milliseconds,
  /** Of `sent`: those of an open loop that left in another tenth of a second than planned, through our fault. */
  moved: count.optional(),
  /**
   * Histograms of the gaps between one operation of an open loop and the next, by thread: as they were planned (when
   * due, or when there was room again), and as they left.
   */
  gaps: z.strictObject({ planned: z.string(), sent: z.string() }).optional(),
  /** Answers, and how long they may have lain unread. */
  answered: count,
  inSumMs: milliseconds,
  inMaxMs: milliseconds,
  elapsedMs: milliseconds,
  /** Of `elapsedMs`: with a processor, ready to run without one, stopped. Absent: the kernel does not count them. */
  onProcessorMs: milliseconds.optional(),
  waitedMs: milliseconds.optional(),
  stoppedMs: milliseconds.optional(),
});
export type OwnTimeReport = z.infer<typeof ownTime>;

export const telemetry = z.strictObject({
  protocol: z.literal(PROTOCOL),
  runId: z.string(),
  /** From 1, without gaps, per worker and run. */
  sequence: z.number().int().positive(),
  /** Run time. A batch ends at each whole second and at each end of a stage, so batches of all workers line up. */
  fromMs: z.number(),
  toMs: z.number(),
  stage: count,
  series: z.array(operationSeries),
  sessions: z.array(sessionSeries),
  /** Absent when no answer named its replica. */
  replicas: z.array(replicaSeries).optional(),
  /** At `toMs`. */
  gauges: z.strictObject({ clients: count, sessions: count, connections: count, inFlight: count, queued: count }),
  /** Absent: a worker of an older version, or one that cannot know it. */
  own: ownTime.optional(),
  health: health.optional(),
  samples: z.array(errorSample),
  /** Of operations that ended since the last batch and were due around a fault. */
  outcomes: z.array(outcomeSeries).optional(),
  /** Since the last batch, by publisher. Absent: nothing was published or received. */
  flows: z.array(flow).optional(),
  /** Set on the last batch of this worker for this run. */
  final: z
    .strictObject({ reason: z.enum(['finished', 'stopped', 'lease-lost', 'failed']), problem: z.string().optional() })
    .optional(),
});
export type Telemetry = z.infer<typeof telemetry>;

export const acknowledgement = z.strictObject({ protocol: z.literal(PROTOCOL), acknowledged: count });
export type Acknowledgement = z.infer<typeof acknowledgement>;

/** Messages of a run: requests that were sent, answers that came, and operations that failed or were lost. */
export interface MessageCounts {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messageSendErrors: number;
}

export const noMessages: MessageCounts = { messagesSent: 0, messagesReceived: 0, messageSendErrors: 0 };

export function addMessages(counts: MessageCounts, { sessions, series }: Telemetry): MessageCounts {
  return {
    messagesSent: sessions.reduce((sum, row) => sum + row.messagesSent, counts.messagesSent),
    messagesReceived: sessions.reduce((sum, row) => sum + row.messagesReceived, counts.messagesReceived),
    messageSendErrors: series.reduce((sum, row) => sum + row.failed + row.lost, counts.messageSendErrors),
  };
}
