import { type CellList, decodeHistogram } from '../../../client-sim/protocol/histogram-codec.js';
import {
  type HistogramName,
  histogramNames,
  type OperationSeries,
  type ReplicaSeries,
  type SessionSeries,
  type Telemetry,
} from '../../../client-sim/protocol/telemetry.js';
import type { OwnGaps } from '../facts/own-time.js';
import { sumOfLists } from './hdr-counts.js';

/**
 * A batch with all of its histograms decoded, so that a broken one is refused before anything is counted. It is merged
 * and forgotten: the cells of a batch take ten times its bytes.
 */
export interface DecodedBatch {
  readonly batch: Telemetry;
  readonly series: readonly DecodedSeries[];
  /** Of all series. */
  readonly latency: CellList;
  readonly sessions: readonly DecodedSessions[];
  readonly replicas: readonly DecodedReplica[];
  /** Of `batch.own.gaps`. */
  readonly gaps: OwnGaps | undefined;
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
  const series = batch.series.map((one) => ({ series: one, cells: decodeSeries(one) }));
  return {
    batch,
    series,
    latency: sumOfLists(series.map(({ cells }) => cells.latency ?? [])),
    sessions: batch.sessions.map((of) => ({
      series: of,
      connect: cellsOf(of.connect),
      delivery: cellsOf(of.delivery),
      catchUp: cellsOf(of.catchUp),
    })),
    replicas: (batch.replicas ?? []).map((of) => ({
      series: of,
      latency: cellsOf(of.latency),
      latencyFloor: cellsOf(of.latencyFloor),
    })),
    gaps: batch.own?.gaps === undefined ? undefined : decodeGaps(batch.own.gaps),
  };
}

function decodeGaps({ planned, sent }: { readonly planned: string; readonly sent: string }): OwnGaps {
  return { planned: decodeHistogram(planned), sent: decodeHistogram(sent) };
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
