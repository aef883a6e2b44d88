/** What several dashboards ask for in the same way. */
import type { Query } from './dashboard.js';

/** Of the chosen stack and profiles. */
export const LOAD = '{stack="$stack", profile=~"$profile"}';

/** Of the chosen replicas. */
export const REPLICA = '{stack="$stack", service="mcp-server", slot=~"$replica"}';

/** As Grafana chooses it from scrape interval and zoom. */
export const RATE_INTERVAL = '$__rate_interval';

/** @param share 0 to 1 @param histogram without `_bucket`, of the workers */
export function percentile(share: number, histogram: string): Query {
  return {
    expr: `histogram_quantile(${share}, sum by (le) (rate(${histogram}_bucket${LOAD}[${RATE_INTERVAL}])))`,
    legend: `p${share * 100}`,
  };
}
