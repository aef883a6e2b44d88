export interface Point {
  readonly x: number;
  /** Null: no data; the line has a gap there. */
  readonly y: number | null;
}

/** At most `limit` points; each stretch of time keeps its lowest and its highest, so no spike is lost. */
export function downsample(points: readonly Point[], limit = 1000): readonly Point[] {
  if (points.length <= limit) return points;
  const buckets = Math.floor(limit / 2);
  const kept: Point[] = [];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const slice = points.slice(
      Math.floor((bucket * points.length) / buckets),
      Math.floor(((bucket + 1) * points.length) / buckets),
    );
    kept.push(...extremes(slice));
  }
  return kept;
}

function extremes(slice: readonly Point[]): readonly Point[] {
  let low: Point | undefined;
  let high: Point | undefined;
  for (const point of slice) {
    if (point.y === null) continue;
    if (low?.y === undefined || low.y === null || point.y < low.y) low = point;
    if (high?.y === undefined || high.y === null || point.y > high.y) high = point;
  }
  if (low === undefined || high === undefined) return slice.slice(0, 1);
  return low === high ? [low] : low.x < high.x ? [low, high] : [high, low];
}
