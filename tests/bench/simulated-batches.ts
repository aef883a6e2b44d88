/**
 * Batches as a worker sends them when it makes 50 calls a second of each operation: latencies are lognormal, the own
 * share is small, and each call is counted for the replica that answered.
 */
import { cellList, cellOf, packCells } from '../../client-sim/protocol/histogram-codec.js';
import type { Health } from '../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../client-sim/protocol/telemetry.js';

export const callsASecond = 50;

export const simulatedHealth: Health = {
  cpu: 0.31,
  memoryBytes: 98_304_000,
  eventLoopUtilization: 0.27,
  processorWait: 0.01,
  eventLoopDelayP99Ms: 1.4,
  lagP99Ms: 0.6,
  throttledRatio: 0,
  clients: 4,
  sessions: 4,
  connections: 8,
  inFlight: 2,
  queued: 0,
  openFiles: 41,
  openFilesLimit: 1_048_576,
  saturated: false,
};

/** What a batch says of one second, without its place in the run. */
export type BatchContent = Omit<Telemetry, 'protocol' | 'runId' | 'sequence' | 'fromMs' | 'toMs' | 'stage'>;

export interface SimulatedLoad {
  readonly profiles: readonly string[];
  readonly operations: readonly string[];
}

/** @param variant the seed of its latencies */
export function simulatedContent({ profiles, operations }: SimulatedLoad, variant: number): BatchContent {
  const random = mulberry(variant + 1);
  const replicas: NonNullable<Telemetry['replicas']> = [];
  const series = profiles.flatMap((profile, p) => {
    const ofProfile: number[] = [];
    const all = operations.map((operation, o) => {
      const medianUs = 1500 * (1 + p) * (1 + o);
      const latencies = Array.from({ length: callsASecond }, () => medianUs * Math.exp(0.6 * normal(random)));
      ofProfile.push(...latencies);
      return {
        stage: 0,
        profile,
        operation,
        offered: callsASecond,
        sent: callsASecond,
        succeeded: callsASecond,
        failed: 0,
        dropped: 0,
        lost: 0,
        unsent: 0,
        errors: {},
        histograms: {
          latency: histogramOf(latencies),
          service: histogramOf(latencies.map((us) => us * 0.97)),
          lag: histogramOf(latencies.map(() => 30 + 300 * random() ** 4)),
          latencyFloor: histogramOf(latencies.map((us) => us * 0.95)),
        },
      };
    });
    const calls = ofProfile.length;
    const counts = { succeeded: calls, failed: 0, sessions: 1, opened: 0, moved: 0, moves: 0, unknown: 0 };
    const latency = histogramOf(ofProfile);
    const latencyFloor = histogramOf(ofProfile.map((us) => us * 0.95));
    replicas.push({ stage: 0, profile, replica: 'replica-1', ...counts, latency, latencyFloor });
    return all;
  });
  const calls = callsASecond * operations.length;
  const sessions = profiles.map((profile) => ({
    stage: 0,
    profile,
    sessionsOpened: 0,
    sessionsClosed: 0,
    sessionsLost: 0,
    sessionsAnswered: 0,
    connectionsOpened: 0,
    connectFailures: {},
    messagesSent: calls,
    messagesReceived: calls,
    bytesSent: 400 * calls,
    bytesReceived: 600 * calls,
    lateAnswers: 0,
    misbehaved: {},
  }));
  const sent = calls * profiles.length;
  return {
    series,
    sessions,
    replicas,
    gauges: { clients: 4, sessions: 4, connections: 8, inFlight: 2, queued: 0 },
    own: {
      sent,
      moved: 0,
      outSumMs: 0.03 * sent,
      outMaxMs: 0.4,
      answered: sent,
      inSumMs: 0.02 * sent,
      inMaxMs: 0.3,
      elapsedMs: 1000,
      onProcessorMs: 270.25,
      waitedMs: 10.5,
      stoppedMs: 0,
      gaps: {
        planned: histogramOf(Array.from({ length: sent }, () => 1_000_000 / sent)),
        sent: histogramOf(Array.from({ length: sent }, () => (1_000_000 / sent) * (0.9 + 0.2 * random()))),
      },
    },
    health: simulatedHealth,
    samples: [],
  };
}

function histogramOf(us: readonly number[]): string {
  const cells = new Map<number, number>();
  for (const value of us) {
    const cell = cellOf(Math.round(value));
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  return packCells(cellList(cells)) ?? '';
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
