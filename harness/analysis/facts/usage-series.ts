import type { UsageSample } from '../../platform/platform.js';
import { byName } from '../order.js';

export interface UsageSeries {
  readonly id: string;
  readonly role: UsageSample['role'];
  /** Thinned when there are many; the highest value of each pair is kept, so that a spike survives. */
  readonly points: readonly ({ readonly atMs: number } & Omit<UsageSample, 'id' | 'role'>)[];
}

type Point = UsageSeries['points'][number];

const maxPoints = 2000;

/** Resource use over time of every program that the platform started; a series that is full is halved by pairs. */
export class UsageStore {
  private readonly series = new Map<string, { readonly role: UsageSample['role']; points: Point[] }>();

  add(atMs: number, samples: readonly UsageSample[]): void {
    for (const { id, role, ...values } of samples) {
      const series = this.series.get(id) ?? { role, points: [] };
      this.series.set(id, series);
      series.points.push({ atMs, ...values });
      if (series.points.length > maxPoints) series.points = halve(series.points);
    }
  }

  view(): readonly UsageSeries[] {
    return [...this.series].map(([id, { role, points }]) => ({ id, role, points })).sort((a, b) => byName(a.id, b.id));
  }
}

function halve(points: readonly Point[]): Point[] {
  const halved: Point[] = [];
  for (let at = 0; at < points.length; at += 2) {
    const one = points[at];
    if (one === undefined) continue;
    const other = points[at + 1] ?? one;
    halved.push({
      atMs: one.atMs,
      cpu: Math.max(one.cpu, other.cpu),
      memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
      ...higher('receivedBytesPerSecond', one, other),
      ...higher('sentBytesPerSecond', one, other),
    });
  }
  return halved;
}

/** Absent where the platform does not know it. */
function higher(key: 'receivedBytesPerSecond' | 'sentBytesPerSecond', one: Point, other: Point): Partial<Point> {
  const known = [one[key], other[key]].filter((value) => value !== undefined);
  return known.length === 0 ? {} : { [key]: Math.max(...known) };
}
