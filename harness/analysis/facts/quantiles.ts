/** The latency quantiles that a scenario asks for: in tables, charts, on the terminal and in JUnit alike. */
import type { Plan } from '../../../scenarios/schema/plan.js';

export interface Quantile {
  /** `p99.9`. */
  readonly name: string;
  /** 0 to 100. */
  readonly percentile: number;
}

/** Where a scenario asks for none. */
const usual: readonly number[] = [50, 95, 99];
/** Every second of the timeline has these. */
const ofTimeline: readonly number[] = [50, 95, 99];

type Asked = Pick<Plan, 'quantiles'>;

export function quantilesOf({ quantiles = usual }: Asked): readonly Quantile[] {
  return quantiles.map(quantile);
}

/** Those that the timeline has beside its own. */
export function otherQuantiles(plan: Asked): readonly Quantile[] {
  return quantilesOf(plan).filter(({ percentile }) => !ofTimeline.includes(percentile));
}

export function quantile(percentile: number): Quantile {
  return { name: `p${percentile}`, percentile };
}
