import { activePart } from './activity.js';
import type { LoadShape } from './load-shape.js';

/** A linear rate, arrivals per second, over [startMs, endMs). */
interface RatePiece {
  readonly startMs: number;
  readonly endMs: number;
  readonly from: number;
  readonly to: number;
}

/** The rate of one open-loop client over the whole run: linear pieces in order of time. In gaps nothing arrives. */
export function ratePieces(
  shape: LoadShape,
  index: number,
  clients: number,
  ratePerSecond: number,
): readonly RatePiece[] {
  const pieces: RatePiece[] = [];
  for (const stage of shape) {
    for (const segment of stage.segments) {
      if (stage.scale === 'rate') {
        pieces.push({
          startMs: segment.startMs,
          endMs: segment.endMs,
          from: segment.from * ratePerSecond,
          to: segment.to * ratePerSecond,
        });
        continue;
      }
      const part = activePart(segment, index, clients);
      if (part !== undefined)
        pieces.push({ startMs: part.fromMs, endMs: part.toMs, from: ratePerSecond, to: ratePerSecond });
    }
  }
  return pieces;
}

interface Piece {
  readonly startMs: number;
  readonly endMs: number;
  readonly from: number;
  /** Per second squared; 0 for a flat piece. */
  readonly slope: number;
  readonly areaBefore: number;
  readonly areaAfter: number;
}

/** Below this relative change over a piece, the quadratic loses more digits than treating the piece as flat does. */
const FLAT = 1e-6;

/**
 * The number of arrivals expected until a time, and its inverse. On ramps both are exact (a quadratic), not stepped.
 * They are monotone in floating point too: each is a chain of correctly rounded monotone operations.
 */
export class IntegratedRate {
  readonly total: number;
  private readonly pieces: readonly Piece[];
  /** Calls come in order of time, so the piece found last is nearly always the next one too. */
  private hint = 0;

  constructor(pieces: readonly RatePiece[]) {
    const built: Piece[] = [];
    let area = 0;
    for (const piece of pieces) {
      const seconds = (piece.endMs - piece.startMs) / 1000;
      const mean = (piece.from + piece.to) / 2;
      if (!(seconds > 0) || !(mean > 0)) continue;
      const flat = Math.abs(piece.to - piece.from) < FLAT * mean;
      const areaAfter = area + mean * seconds;
      built.push({
        startMs: piece.startMs,
        endMs: piece.endMs,
        from: flat ? mean : piece.from,
        slope: flat ? 0 : (piece.to - piece.from) / seconds,
        areaBefore: area,
        areaAfter,
      });
      area = areaAfter;
    }
    this.pieces = built;
    this.total = area;
  }

  /** Arrivals expected in [0, atMs). */
  area(atMs: number): number {
    const piece = this.pieces.find((candidate) => candidate.endMs > atMs);
    if (piece === undefined) return this.total;
    if (atMs <= piece.startMs) return piece.areaBefore;
    const seconds = (atMs - piece.startMs) / 1000;
    const area = piece.areaBefore + (piece.from + (piece.slope * seconds) / 2) * seconds;
    return Math.min(area, piece.areaAfter);
  }

  /** When the area reaches `area`; Infinity when it never exceeds it. A time within a piece is before its end. */
  timeOf(area: number): number {
    const pieces = this.pieces;
    let index = this.hint;
    while (index > 0 && (pieces[index]?.areaBefore ?? 0) > area) index--;
    let piece = pieces[index];
    while (piece !== undefined && piece.areaAfter <= area) piece = pieces[++index];
    if (piece === undefined) return Infinity;
    this.hint = index;
    const seconds = invert(piece, area - piece.areaBefore);
    const lastMs = piece.endMs - piece.endMs * Number.EPSILON;
    return Math.min(piece.startMs + seconds * 1000, lastMs);
  }
}

/** Solves from*s + slope*s^2/2 = area. In this form (root minus constant) rounding keeps the order of arrivals. */
function invert(piece: Piece, area: number): number {
  if (area <= 0) return 0;
  if (piece.slope === 0) return area / piece.from;
  const root = Math.sqrt(Math.max(0, piece.from * piece.from + 2 * piece.slope * area));
  return (root - piece.from) / piece.slope;
}
