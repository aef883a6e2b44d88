import { ANSWER_BYTES } from '../mcp/judge-message.js';
import { RequestIds } from '../mcp/request-ids.js';
import type { OwnShare } from '../measure/health/own-share.js';
import { ReplicaNames } from '../measure/replica-names.js';
import { MISBEHAVING_IDS } from '../protocol/id-ranges.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import { noStreams } from '../protocol/streams.js';
import type { WireCounters } from './channel.js';
import { DuplexMemory, EndpointMemory } from './endpoint-memory.js';
import { HEAD_BYTES, type ParserLimits } from './http/response-parser.js';
import { SampleBudget } from './sample.js';
import { ConnectLimiter } from './socket/connect-limiter.js';
import { SendBufferPool } from './socket/send-buffers.js';

/** State that all channels of one engine thread share. */
export interface ThreadShared {
  /**
   * Every read of every connection uses this buffer: 64 KiB that stay in the cache, and no allocation per read
   * (measured: 0.90 to 1.12 times as fast as wrk).
   */
  readonly readBuffer: Buffer;
  readonly sendBuffers: SendBufferPool;
  readonly connectLimiter: ConnectLimiter;
  readonly replicas: ReplicaNames;
  /** The longest answer that is read. */
  readonly answerLimits: ParserLimits;
  readonly ids: RequestIds;
  /** Of requests that misbehave. */
  readonly misbehavingIds: RequestIds;
  /** One line for the log of the worker. */
  readonly log: (line: string) => void;
  /** Milliseconds, monotonic: `performance.now()`. */
  readonly now: () => number;
  /** Is told of sockets that are read late on purpose; undefined where nothing is measured. */
  readonly own: OwnShare | undefined;
}

/** State that all channels of one profile in one engine thread share. */
export interface ProfileShared extends ThreadShared {
  readonly counters: WireCounters;
  readonly samples: SampleBudget;
  /** By endpoint, which is one object for all channels to it. */
  readonly memories: Map<Endpoint, EndpointMemory>;
  readonly duplexMemories: Map<Endpoint, DuplexMemory>;
}

const READ_BUFFER_BYTES = 65_536;

interface ThreadOptions {
  readonly own?: OwnShare;
  readonly connectLimiter?: ConnectLimiter;
  /** The longest answer that is read. */
  readonly answerBytes?: number | undefined;
  readonly ids?: RequestIds;
  readonly misbehavingIds?: RequestIds;
  readonly log?: ((line: string) => void) | undefined;
}

export function createThreadShared({
  own,
  connectLimiter = new ConnectLimiter(),
  answerBytes = ANSWER_BYTES,
  ids = new RequestIds(),
  misbehavingIds = new RequestIds(MISBEHAVING_IDS),
  log = () => undefined,
}: ThreadOptions = {}): ThreadShared {
  return {
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    sendBuffers: new SendBufferPool(),
    connectLimiter,
    replicas: new ReplicaNames(),
    answerLimits: { headBytes: HEAD_BYTES, bodyBytes: answerBytes },
    ids,
    misbehavingIds,
    log,
    now: () => performance.now(),
    own,
  };
}

/** Without arguments: for channels that are not part of the load. */
export function createProfileShared(thread = createThreadShared(), counters = createWireCounters()): ProfileShared {
  return { ...thread, counters, samples: new SampleBudget(), memories: new Map(), duplexMemories: new Map() };
}

/** The memory of this endpoint; the first channel to it creates it. */
export function endpointMemory(
  { endpoint, pinned }: { readonly endpoint: Endpoint; readonly pinned: PinnedProtocol },
  { memories, samples, replicas }: ProfileShared,
): EndpointMemory {
  let memory = memories.get(endpoint);
  if (memory === undefined)
    memories.set(endpoint, (memory = new EndpointMemory(endpoint, pinned.era, samples, replicas)));
  return memory;
}

/** The memory of this endpoint; the first channel to it creates it. */
export function duplexMemory(endpoint: Endpoint, { duplexMemories, samples }: ProfileShared): DuplexMemory {
  let memory = duplexMemories.get(endpoint);
  if (memory === undefined) duplexMemories.set(endpoint, (memory = new DuplexMemory(endpoint, samples)));
  return memory;
}

export function createWireCounters(): WireCounters {
  return {
    bytesSent: 0,
    bytesReceived: 0,
    messagesSent: 0,
    messagesReceived: 0,
    connectionsOpened: 0,
    connectionsActive: 0,
    lateAnswers: 0,
    backpressure: 0,
    streams: noStreams(),
  };
}
