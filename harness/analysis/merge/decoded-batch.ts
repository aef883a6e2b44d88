import { type CountPair, decodeHistogram } from '../../../client-sim/protocol/histogram-codec.js';
import {
  type HistogramName,
  histogramNames,
  type OperationSeries,
  type ReplicaSeries,
  type SessionSeries,
  type Telemetry,
} from '../../../client-sim/protocol/telemetry.js';

/** A batch with all of its histograms decoded, so that a broken one is refused before anything is counted. */
export interface DecodedBatch {
  readonly batch: Telemetry;
  readonly series: readonly DecodedSeries[];
  readonly sessions: readonly DecodedSessions[];
  readonly replicas: readonly DecodedReplica[];
}
export interface DecodedSeries {
  readonly series: OperationSeries;
  readonly pairs: Readonly<Partial<Record<HistogramName, readonly CountPair[]>>>;
}
export interface DecodedSessions {
  readonly series: SessionSeries;
  readonly connect: readonly CountPair[];
  readonly delivery: readonly CountPair[];
  readonly catchUp: readonly CountPair[];
}

export interface DecodedReplica {
  readonly series: ReplicaSeries;
  readonly latency: readonly CountPair[];
}

/** @throws HistogramError */
export function decodeBatch(batch: Telemetry): DecodedBatch {
  return {
    batch,
    series: batch.series.map((series) => ({ series, pairs: decodeSeries(series) })),
    sessions: batch.sessions.map((series) => ({
      series,
      connect: pairsOf(series.connect),
      delivery: pairsOf(series.delivery),
      catchUp: pairsOf(series.catchUp),
    })),
    replicas: (batch.replicas ?? []).map((series) => ({
      series,
      latency: series.latency === undefined ? [] : decodeHistogram(series.latency),
    })),
  };
}

function pairsOf(encoded: string | undefined): readonly CountPair[] {
  return encoded === undefined ? [] : decodeHistogram(encoded);
}

function decodeSeries(series: OperationSeries): DecodedSeries['pairs'] {
  const pairs: Partial<Record<HistogramName, readonly CountPair[]>> = {};
  for (const name of histogramNames) {
    const encoded = series.histograms[name];
    if (encoded !== undefined) pairs[name] = decodeHistogram(encoded);
  }
  return pairs;
}
