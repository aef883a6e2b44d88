/** Every query of dashboards and rules. */
import { parse } from 'yaml';
import { z } from 'zod';
import { DASHBOARDS } from '../grafana/dashboard-files.js';
import { decidedBy } from './read-query.js';

export interface NamedQuery {
  /** Where it is from, in words. */
  readonly where: string;
  readonly expr: string;
}

const rule = z.union([
  z.object({ record: z.string(), expr: z.string() }),
  z.object({ alert: z.string(), expr: z.string(), for: z.string() }),
]);
const ruleFile = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });

export interface Rules {
  readonly recorded: readonly NamedQuery[];
  /** Without their limits: what decides them. */
  readonly alerts: readonly NamedQuery[];
}

/** @param text of monitoring/prometheus/alerts.yml */
export function rulesIn(text: string): Rules {
  const rules = ruleFile.parse(parse(text)).groups.flatMap((group) => group.rules);
  return {
    recorded: rules.flatMap((one) => ('record' in one ? [{ where: one.record, expr: one.expr }] : [])),
    alerts: rules.flatMap((one) => ('alert' in one ? [{ where: one.alert, expr: decidedBy(one.expr) }] : [])),
  };
}

export function dashboardQueries(): readonly NamedQuery[] {
  return Object.values(DASHBOARDS).flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr, legend }) => ({ where: `${title}: ${panel.title} (${legend})`, expr })),
      ),
    ),
  );
}

/** As Grafana would fill it in for this stack, with everything chosen. */
export function filledIn(expr: string, stack: string): string {
  return expr
    .replaceAll('$stack', stack)
    .replaceAll('$profile', '.*')
    .replaceAll('$replica', '.*')
    .replaceAll('$__rate_interval', '30s');
}
