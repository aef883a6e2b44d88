/** The latency quantiles that a scenario asks for: in tables, charts, on the terminal and in JUnit alike. */
import type { Plan } from '../../../scenarios/schema/plan.js';

/** By name, such as `p99.9`; percentiles from 0 to 100. */
export type Quantiles = ReadonlyMap<string, number>;

/** Every second of the timeline has these. */
const ofTimeline: readonly number[] = [50, 95, 99];

/** In the order of the scenario; undefined where it asks for none. */
export function quantilesAsked({ quantiles }: Pick<Plan, 'quantiles'>): Quantiles | undefined {
  return quantiles === undefined
    ? undefined
    : new Map(quantiles.map((percentile) => [`p${percentile}`, percentile] as const));
}

/** Those that the timeline has beside its own. */
export function otherQuantiles(plan: Pick<Plan, 'quantiles'>): Quantiles {
  return new Map([...(quantilesAsked(plan) ?? [])].filter(([, percentile]) => !ofTimeline.includes(percentile)));
}
