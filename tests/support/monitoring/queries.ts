/** Finds the queries of dashboards and rules, and the series that a query names. */
import { parse } from 'yaml';
import { z } from 'zod';
import { DASHBOARDS } from '../../../monitoring/grafana/dashboard-files.js';

interface NamedQuery {
  /** The dashboard or rule that has it, for messages. */
  readonly where: string;
  readonly expr: string;
}

const rule = z.union([
  z.object({ record: z.string(), expr: z.string() }),
  z.object({ alert: z.string(), expr: z.string(), for: z.string() }),
]);
const ruleFile = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });

interface Rules {
  readonly recorded: readonly NamedQuery[];
  /** Without the limits at their ends. */
  readonly alerts: readonly NamedQuery[];
}

/** @param text of monitoring/prometheus/alerts.yml */
export function rulesIn(text: string): Rules {
  const rules = ruleFile.parse(parse(text)).groups.flatMap((group) => group.rules);
  return {
    recorded: rules.flatMap((one) => ('record' in one ? [{ where: one.record, expr: one.expr }] : [])),
    alerts: rules.flatMap((one) => ('alert' in one ? [{ where: one.alert, expr: withoutLimit(one.expr) }] : [])),
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

/** Replaces variables as Grafana does, for this stack and with all profiles and replicas chosen. */
export function filledIn(expr: string, stack: string): string {
  return expr
    .replaceAll('$stack', stack)
    .replaceAll('$profile', '.*')
    .replaceAll('$replica', '.*')
    .replaceAll('$__rate_interval', '30s');
}

interface QueryNames {
  readonly series: readonly NamedSeries[];
  /** Labels in `by (...)`, `on (...)` and so on. */
  readonly grouping: readonly string[];
}

interface NamedSeries {
  readonly name: string;
  /** Labels in its selector. */
  readonly labels: readonly string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|\d[\w.]*|[a-zA-Z_:][\w:]*|=~|!~|!=|==|>=|<=|\S/g;
const groupers = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** Keywords that may stand between the name of an aggregation and its bracket. */
const aggregates = new Set(['by', 'without']);
const operators = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan']);

/** Not a parser of PromQL, but enough for expressions that Prometheus accepts. */
export function namesIn(query: string): QueryNames {
  const tokens = [...query.matchAll(TOKEN)].map(([text]) => text);
  const series: NamedSeries[] = [];
  const grouping: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const name = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (!isName(name) || operators.has(name.toLowerCase())) continue;
    if (groupers.has(name.toLowerCase())) {
      const end = next === '(' ? tokens.indexOf(')', at) : at;
      grouping.push(...tokens.slice(at + 1, end).filter(isName));
      at = end;
    } else if (next === '{') {
      const end = tokens.indexOf('}', at);
      // A label stands before its matcher; what stands after it is a string.
      series.push({ name, labels: tokens.slice(at + 2, end).filter(isName) });
      at = end;
    } else if (next !== '(' && !aggregates.has(next ?? '')) {
      series.push({ name, labels: [] });
    }
  }
  return { series, grouping };
}

function isName(text: string): boolean {
  return /^[a-zA-Z_:]/.test(text);
}

/** The expression of an alert without the limit at its end. */
export function withoutLimit(alert: string): string {
  return alert.replace(/\s(?:==|!=|>=|<=|>|<)\s(?:on \([^)]*\) )?[^<>=!]*$/, '');
}
