import { type CellList, decodeHistogram } from '../../../client-sim/protocol/histogram-codec.js';
import {
  type HistogramName,
  histogramNames,
  type OperationSeries,
  type ReplicaSeries,
  type SessionSeries,
  type Telemetry,
} from '../../../client-sim/protocol/telemetry.js';

/**
 * A batch with all of its histograms decoded, so that a broken one is refused before anything is counted. It is merged
 * and forgotten: the cells of a batch take ten times its bytes.
 */
export interface DecodedBatch {
  readonly batch: Telemetry;
  readonly series: readonly DecodedSeries[];
  readonly sessions: readonly DecodedSessions[];
  readonly replicas: readonly DecodedReplica[];
}
export interface DecodedSeries {
  readonly series: OperationSeries;
  readonly cells: Readonly<Partial<Record<HistogramName, CellList>>>;
}
export interface DecodedSessions {
  readonly series: SessionSeries;
  readonly connect: CellList;
  readonly delivery: CellList;
  readonly catchUp: CellList;
}

export interface DecodedReplica {
  readonly series: ReplicaSeries;
  readonly latency: CellList;
  readonly latencyFloor: CellList;
}

/** @throws HistogramError */
export function decodeBatch(batch: Telemetry): DecodedBatch {
  return {
    batch,
    series: batch.series.map((series) => ({ series, cells: decodeSeries(series) })),
    sessions: batch.sessions.map((series) => ({
      series,
      connect: cellsOf(series.connect),
      delivery: cellsOf(series.delivery),
      catchUp: cellsOf(series.catchUp),
    })),
    replicas: (batch.replicas ?? []).map((series) => ({
      series,
      latency: cellsOf(series.latency),
      latencyFloor: cellsOf(series.latencyFloor),
    })),
  };
}

function cellsOf(encoded: string | undefined): CellList {
  return encoded === undefined ? [] : decodeHistogram(encoded);
}

function decodeSeries(series: OperationSeries): DecodedSeries['cells'] {
  const cells: Partial<Record<HistogramName, CellList>> = {};
  for (const name of histogramNames) {
    const encoded = series.histograms[name];
    if (encoded !== undefined) cells[name] = decodeHistogram(encoded);
  }
  if (cells.latencyFloor !== undefined) cells.serviceFloor ??= cells.latencyFloor;
  return cells;
}
