/** What a PromQL expression names. Not a parser of PromQL: enough for expressions that Prometheus accepts. */

export interface QueryNames {
  readonly series: readonly NamedSeries[];
  /** Labels in `by (...)` and its like. */
  readonly grouping: readonly string[];
}

export interface NamedSeries {
  readonly name: string;
  /** Labels its selector asks for. */
  readonly labels: readonly string[];
}

const token = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|\d[\w.]*|[a-zA-Z_:][\w:]*|=~|!~|!=|==|>=|<=|\S/g;
function isName(text: string): boolean {
  return /^[a-zA-Z_:]/.test(text);
}
const groupers = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** What may stand between the name of an aggregation and its bracket. */
const aggregates = new Set(['by', 'without']);
const operators = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan']);

export function namesIn(query: string): QueryNames {
  const tokens = [...query.matchAll(token)].map(([text]) => text);
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

/** What decides an alert: its expression without the limit at its end. */
export function decidedBy(alert: string): string {
  return alert.replace(/\s(?:==|!=|>=|<=|>|<)\s(?:on \([^)]*\) )?[^<>=!]*$/, '');
}
