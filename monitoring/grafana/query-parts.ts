/** Parts of queries that several dashboards share. */
import type { Query } from './dashboard.js';

/** Selects the chosen stack and profiles. */
export const LOAD = '{stack="$stack", profile=~"$profile"}';

/** Selects the chosen replicas. */
export const REPLICA = '{stack="$stack", service="mcp-server", slot=~"$replica"}';

/** Change per second of a counter. Grafana derives the interval from the scrape interval and the zoom. */
export function rate(counter: string, selector: string): string {
  return `rate(${counter}${selector}[$__rate_interval])`;
}

/**
 * @param share 0 to 1
 * @param labels one value for each combination of these, in the form `a, b, le`
 * @param histogram without `_bucket`
 */
export function quantile(share: number, labels: string, histogram: string, selector: string): string {
  return `histogram_quantile(${share}, sum by (${labels}) (${rate(`${histogram}_bucket`, selector)}))`;
}

/** A percentile of the chosen load. @param share 0 to 1 @param histogram of the workers, without `_bucket` */
export function percentile(share: number, histogram: string): Query {
  return { expr: quantile(share, 'le', histogram, LOAD), legend: `p${share * 100}` };
}
